"""Staff accounts: passwords that grow old, one-time passwords, authenticator apps, sessions in two steps."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('staff', sa.Column('password_changed_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('staff', sa.Column('one_time_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('staff', sa.Column('oidc_subject', sa.String(), nullable=True))
    op.create_unique_constraint('staff_oidc_subject_key', 'staff', ['oidc_subject'])
    op.add_column('staff_session', sa.Column('end_reason', sa.String(), nullable=True))
    op.add_column(
        'staff_session', sa.Column('second_step', sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        'staff_session', sa.Column('by_provider', sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        'staff_password',
        sa.Column('id', sa.String(), primary_key=True),
        sa.Column('staff_id', sa.String(), sa.ForeignKey('staff.id'), nullable=False, index=True),
        sa.Column('password_hash', sa.String(), nullable=False),
        sa.Column('replaced_at', sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        'staff_totp',
        sa.Column('staff_id', sa.String(), sa.ForeignKey('staff.id'), primary_key=True),
        sa.Column('secret_sealed', sa.LargeBinary(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('last_step', sa.Integer(), nullable=False),
    )
    op.create_table(
        'staff_recovery_code',
        sa.Column('code_sha256', sa.String(), primary_key=True),
        sa.Column('staff_id', sa.String(), sa.ForeignKey('staff.id'), nullable=False, index=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    )


def downgrade() -> None:
    op.drop_table('staff_recovery_code')
    op.drop_table('staff_totp')
    op.drop_table('staff_password')
    op.drop_column('staff_session', 'by_provider')
    op.drop_column('staff_session', 'second_step')
    op.drop_column('staff_session', 'end_reason')
    op.drop_constraint('staff_oidc_subject_key', 'staff', type_='unique')
    op.drop_column('staff', 'oidc_subject')
    op.drop_column('staff', 'one_time_until')
    op.drop_column('staff', 'password_changed_at')
