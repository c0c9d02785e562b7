"""Recording files by track: a shared screen has its own; parts of the time line in which a file shows something."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('recording_file', sa.Column('track', sa.String(), nullable=False, server_default='main'))
    op.add_column(
        'recording_file',
        sa.Column('spans', postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default='[]'),
    )
    op.alter_column('recording_file', 'track', server_default=None)
    op.alter_column('recording_file', 'spans', server_default=None)


def downgrade() -> None:
    op.drop_column('recording_file', 'spans')
    op.drop_column('recording_file', 'track')
