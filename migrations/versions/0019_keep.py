"""Tombstones stand alone: after a restore they are written again, though list and persons may be newer than the backup"""

from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

KEYS = {'run_id': 'purge_run', 'requested_by': 'staff', 'approved_by': 'staff'}


def upgrade() -> None:
    for column in KEYS:
        op.drop_constraint(f'tombstone_{column}_fkey', 'tombstone', type_='foreignkey')


def downgrade() -> None:
    # Rows of a restore may name what the backup did not know; new ones are checked.
    for column, table in KEYS.items():
        op.create_foreign_key(
            f'tombstone_{column}_fkey', 'tombstone', table, [column], ['id'], postgresql_not_valid=True
        )
