"""Tables of: counter"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def text(name, nullable=False, **more):
    return sa.Column(name, sa.String(), nullable=nullable, **more)


def at(name, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        'business_flow',
        text('business_code'),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('content', postgresql.JSONB(), nullable=False),
        sa.Column('active', sa.Boolean(), nullable=False),
        text('note'),
        text('created_by'),
        at('created_at'),
        sa.ForeignKeyConstraint(['business_code'], ['business.code']),
        sa.PrimaryKeyConstraint('business_code', 'version'),
    )
    op.create_index(
        'uq_business_flow_active', 'business_flow', ['business_code'], unique=True, postgresql_where=sa.text('active')
    )
    op.create_table(
        'business_case',
        text('id'),
        text('call_id'),
        text('visit_id'),
        text('business_code'),
        sa.Column('flow_version', sa.Integer(), nullable=False),
        text('state'),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('sealed', sa.LargeBinary(), nullable=False),
        sa.Column('identity_level', sa.Integer(), nullable=False),
        text('end_reason', nullable=True),
        text('started_by'),
        at('started_at'),
        at('deadline_at'),
        at('overdue_at', nullable=True),
        at('ended_at', nullable=True),
        sa.ForeignKeyConstraint(['call_id'], ['call.id']),
        sa.ForeignKeyConstraint(['visit_id'], ['visit.id']),
        sa.ForeignKeyConstraint(['business_code'], ['business.code']),
        sa.PrimaryKeyConstraint('id'),
    )
    for column in ('call_id', 'visit_id', 'state', 'deadline_at'):
        op.create_index(f'ix_business_case_{column}', 'business_case', [column])
    op.create_index(
        'uq_business_case_running', 'business_case', ['call_id'], unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        'case_step',
        text('case_id'),
        text('key'),
        sa.Column('position', sa.Integer(), nullable=False),
        text('kind'),
        text('doer'),
        text('state'),
        sa.Column('sealed', sa.LargeBinary(), nullable=False),
        text('reason', nullable=True),
        text('note'),
        sa.Column('attempts', sa.Integer(), nullable=False),
        text('by', nullable=True),
        at('began_at', nullable=True),
        at('ended_at', nullable=True),
        sa.ForeignKeyConstraint(['case_id'], ['business_case.id']),
        sa.PrimaryKeyConstraint('case_id', 'key'),
    )
    op.create_index('ix_case_step_state', 'case_step', ['state'])
    op.create_table(
        'case_document',
        text('id'),
        text('case_id'),
        text('call_id'),
        text('step_key'),
        text('code'),
        text('state'),
        text('source'),
        text('content_type'),
        sa.Column('pages', sa.Integer(), nullable=False),
        sa.Column('size_b', sa.Integer(), nullable=False),
        text('sha256'),
        text('object_key'),
        text('thumbnail_key'),
        sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
        sa.Column('checks', postgresql.JSONB(), nullable=False),
        text('reason', nullable=True),
        text('note'),
        text('by'),
        at('created_at'),
        text('judged_by', nullable=True),
        at('judged_at', nullable=True),
        sa.ForeignKeyConstraint(['case_id'], ['business_case.id']),
        sa.ForeignKeyConstraint(['call_id'], ['call.id']),
        sa.PrimaryKeyConstraint('id'),
    )
    for column in ('case_id', 'call_id'):
        op.create_index(f'ix_case_document_{column}', 'case_document', [column])
    op.create_table(
        'prefill',
        text('id'),
        text('token_sha256', unique=True),
        text('business_code'),
        sa.Column('flow_version', sa.Integer(), nullable=False),
        sa.Column('sealed', sa.LargeBinary(), nullable=True),
        text('visit_id', nullable=True),
        text('case_id', nullable=True),
        at('created_at'),
        at('expires_at'),
        at('filled_at', nullable=True),
        sa.ForeignKeyConstraint(['business_code'], ['business.code']),
        sa.ForeignKeyConstraint(['visit_id'], ['visit.id']),
        sa.ForeignKeyConstraint(['case_id'], ['business_case.id']),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('ix_prefill_visit_id', 'prefill', ['visit_id'])
    op.create_table(
        'phone_code',
        text('id'),
        text('case_id'),
        sa.Column('sealed', sa.LargeBinary(), nullable=True),
        text('code_hash'),
        sa.Column('tries_left', sa.Integer(), nullable=False),
        at('created_at'),
        at('expires_at'),
        at('used_at', nullable=True),
        sa.ForeignKeyConstraint(['case_id'], ['business_case.id']),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('ix_phone_code_case_id', 'phone_code', ['case_id'])


def downgrade() -> None:
    for table in ('phone_code', 'prefill', 'case_document', 'case_step', 'business_case', 'business_flow'):
        op.drop_table(table)
