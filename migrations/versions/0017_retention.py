"""Tables of: retention (table, holds, deletions, tombstones), customers' requests, keys by purpose"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('data_key',
    sa.Column('purpose', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('purpose')
    )
    op.create_table('purge_run',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('request_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('as_of', sa.DateTime(timezone=True), nullable=False),
    sa.Column('list_sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('items', sa.Integer(), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision_note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['decided_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_purge_run_created_at'), 'purge_run', ['created_at'], unique=False)
    op.create_index(op.f('ix_purge_run_request_id'), 'purge_run', ['request_id'], unique=False)
    op.create_index(op.f('ix_purge_run_state'), 'purge_run', ['state'], unique=False)
    op.create_table('retention_rule',
    sa.Column('data_class', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('event', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('amount', sa.Integer(), nullable=False),
    sa.Column('unit', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('edited_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('edited_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['edited_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('data_class', 'event')
    )
    op.create_table('purge_item',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('run_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('root_type', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('root_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('data_class', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('label', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('rule', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kept_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('rows', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('objects', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('object_count', sa.Integer(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['purge_run.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('run_id', 'root_id', 'data_class')
    )
    op.create_index(op.f('ix_purge_item_root_id'), 'purge_item', ['root_id'], unique=False)
    op.create_index(op.f('ix_purge_item_run_id'), 'purge_item', ['run_id'], unique=False)
    op.create_index(op.f('ix_purge_item_state'), 'purge_item', ['state'], unique=False)
    op.create_table('subject_request',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('person_key', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('calls', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('error', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('outcome', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('purge_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('object_key', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=True),
    sa.Column('size_b', sa.BigInteger(), nullable=True),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['purge_id'], ['purge_run.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_subject_request_created_at'), 'subject_request', ['created_at'], unique=False)
    op.create_index(op.f('ix_subject_request_person_key'), 'subject_request', ['person_key'], unique=False)
    op.create_index(op.f('ix_subject_request_state'), 'subject_request', ['state'], unique=False)
    op.create_table('tombstone',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('root_type', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('root_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('data_class', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('run_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('rule', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('rows', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('objects', sa.Integer(), nullable=False),
    sa.Column('objects_sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('requested_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('approved_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['approved_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['requested_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['run_id'], ['purge_run.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('root_id', 'data_class')
    )
    op.create_index(op.f('ix_tombstone_deleted_at'), 'tombstone', ['deleted_at'], unique=False)
    op.create_index(op.f('ix_tombstone_root_id'), 'tombstone', ['root_id'], unique=False)
    op.create_table('legal_hold',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('person_key', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('set_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lift_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('lift_asked_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('lift_asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lifted_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['confirmed_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['lift_asked_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['lifted_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['set_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_legal_hold_call_id'), 'legal_hold', ['call_id'], unique=False)
    op.create_index(op.f('ix_legal_hold_person_key'), 'legal_hold', ['person_key'], unique=False)
    op.create_index(op.f('ix_legal_hold_set_at'), 'legal_hold', ['set_at'], unique=False)
    op.create_index(op.f('ix_legal_hold_state'), 'legal_hold', ['state'], unique=False)
    op.create_table('person_call',
    sa.Column('person_key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.PrimaryKeyConstraint('person_key', 'call_id')
    )
    op.create_index(op.f('ix_person_call_call_id'), 'person_call', ['call_id'], unique=False)
    op.create_table('product_end',
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('set_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['set_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('call_id')
    )


def downgrade() -> None:
    op.execute("update recording set state = 'failed' where state = 'deleted'")
    op.drop_table('product_end')
    op.drop_index(op.f('ix_person_call_call_id'), table_name='person_call')
    op.drop_table('person_call')
    op.drop_index(op.f('ix_legal_hold_state'), table_name='legal_hold')
    op.drop_index(op.f('ix_legal_hold_set_at'), table_name='legal_hold')
    op.drop_index(op.f('ix_legal_hold_person_key'), table_name='legal_hold')
    op.drop_index(op.f('ix_legal_hold_call_id'), table_name='legal_hold')
    op.drop_table('legal_hold')
    op.drop_index(op.f('ix_tombstone_root_id'), table_name='tombstone')
    op.drop_index(op.f('ix_tombstone_deleted_at'), table_name='tombstone')
    op.drop_table('tombstone')
    op.drop_index(op.f('ix_subject_request_state'), table_name='subject_request')
    op.drop_index(op.f('ix_subject_request_person_key'), table_name='subject_request')
    op.drop_index(op.f('ix_subject_request_created_at'), table_name='subject_request')
    op.drop_table('subject_request')
    op.drop_index(op.f('ix_purge_item_state'), table_name='purge_item')
    op.drop_index(op.f('ix_purge_item_run_id'), table_name='purge_item')
    op.drop_index(op.f('ix_purge_item_root_id'), table_name='purge_item')
    op.drop_table('purge_item')
    op.drop_table('retention_rule')
    op.drop_index(op.f('ix_purge_run_state'), table_name='purge_run')
    op.drop_index(op.f('ix_purge_run_request_id'), table_name='purge_run')
    op.drop_index(op.f('ix_purge_run_created_at'), table_name='purge_run')
    op.drop_table('purge_run')
    op.drop_table('data_key')
