"""The endpoints of inspection, put together."""

from core.db import Database
from core.http import RouteTable
from core.security.keys import MasterKey
from core.store import Store
from qa.calibration import routes as calibration
from qa.calibration.service import CalibrationService
from qa.desk import routes as desk
from qa.desk.service import DeskService
from qa.desk.tasks import TaskService
from qa.improve import routes as improve
from qa.improve.proof import ProofShelf
from qa.improve.read import ImproveReader
from qa.improve.service import ImproveService
from qa.reports import routes as reports
from qa.reports.service import ReportService
from qa.review import routes as review
from qa.review.read import ReviewReader
from qa.review.service import ReviewService
from qa.rules.book import RuleBook
from qa.sampling import routes as sampling
from qa.sampling.read import SamplingReader
from qa.sampling.service import SamplingService
from qa.scoring import routes as scoring
from qa.scoring.book import FormBook
from qa.scoring.form import load_form
from qa.training import routes as training
from qa.training.service import PracticeService
from qa.waiting import routes as waiting
from qa.waiting.read import WaitingReader


def tables(database: Database, store: Store, master_key: MasterKey) -> list[RouteTable]:
    """All routes of the QA desk and what follows it."""
    return [
        desk.routes(DeskService(database, load_form())),
        desk.task_routes(TaskService(database)),
        sampling.routes(SamplingService(database), SamplingReader(database)),
        review.routes(ReviewService(database), ReviewReader(database)),
        improve.routes(ImproveService(database), ImproveReader(database), ProofShelf(database, store, master_key)),
        waiting.routes(WaitingReader(database)),
        calibration.routes(CalibrationService(database)),
        scoring.routes(FormBook(database)),
        reports.routes(ReportService(database)),
        training.routes(PracticeService(RuleBook(database))),
    ]
