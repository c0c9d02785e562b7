"""Column of: how loud an utterance was spoken"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transcript_segment", sa.Column("level_db", sa.Float(), nullable=True))


def downgrade() -> None:
    op.drop_column("transcript_segment", "level_db")
