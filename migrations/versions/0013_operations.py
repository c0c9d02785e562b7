"""Tables of: operations (backups and rehearsals)"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'backup_run',
        sa.Column('id', sa.String(), primary_key=True),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('due_at', _TIME, nullable=False),
        sa.Column('asked_by', sa.String(), sa.ForeignKey('staff.id')),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('started_at', _TIME),
        sa.Column('finished_at', _TIME),
        sa.Column('backup_id', sa.String()),
        sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column('error', sa.String()),
        sa.UniqueConstraint('kind', 'due_at'),
    )
    op.create_index('ix_backup_run_due_at', 'backup_run', ['due_at'])
    op.create_index('ix_backup_run_state', 'backup_run', ['state'])


def downgrade() -> None:
    op.drop_table('backup_run')
