"""The endpoints of inspection, and what its clock does."""

from core.db import Database
from core.http import RouteTable
from qa.desk import routes as desk
from qa.desk.service import DeskService
from qa.desk.tasks import TaskService
from qa.review import routes as review
from qa.review.read import ReviewReader
from qa.review.service import ReviewService
from qa.sampling import routes as sampling
from qa.sampling.read import SamplingReader
from qa.sampling.service import SamplingService
from qa.scoring.form import load_form


def tables(database: Database) -> list[RouteTable]:
    """All routes of the QA desk and what follows it."""
    return [
        desk.routes(DeskService(database, load_form())),
        desk.task_routes(TaskService(database)),
        sampling.routes(SamplingService(database), SamplingReader(database)),
        review.routes(ReviewService(database), ReviewReader(database)),
    ]
