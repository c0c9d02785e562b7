"""Tables of the centre: routing, opening, notices, guests of a call, transfers, chat, bookings"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString()
    op.add_column('call', sa.Column('skill_group', text, nullable=False, server_default=''))
    op.execute('update call set skill_group = b.skill_group from business b where b.code = call.business_code')
    op.alter_column('call', 'skill_group', server_default=None)
    op.add_column('call', sa.Column('customer_class', text, nullable=False, server_default='standard'))
    op.alter_column('call', 'customer_class', server_default=None)
    rank = "(queued_at AT TIME ZONE 'UTC') - priority * interval '1 second'"
    op.add_column('call', sa.Column('rank_at', sa.DateTime(), sa.Computed(rank, persisted=True), nullable=False))
    op.add_column('call', sa.Column('wanted_teller_id', text, sa.ForeignKey('staff.id'), nullable=True))
    op.add_column('call', sa.Column('wanted_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('call', sa.Column('teller_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('call', sa.Column('help_asked_at', sa.DateTime(timezone=True), nullable=True))
    # Only those who wait: the dispatcher reads the first few of each group, and positions are counted in it.
    op.create_index(
        'ix_call_waiting', 'call', ['skill_group', 'rank_at', 'id'],
        postgresql_where=sa.text("state in ('queued', 'offered')"),
    )
    op.create_table('opening_calendar',
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name_zh', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name_en', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('timezone', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('hours', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('code')
    )
    op.create_table('skill_group',
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name_zh', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name_en', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('strategy', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('ring_s', sa.Float(), nullable=True),
    sa.Column('reject_delay_s', sa.Float(), nullable=False),
    sa.Column('missed_limit', sa.Integer(), nullable=False),
    sa.Column('overflow_groups', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('overflow_after_s', sa.Float(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('code')
    )
    op.create_table('calendar_day',
    sa.Column('calendar_code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('hours', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['calendar_code'], ['opening_calendar.code'], ),
    sa.PrimaryKeyConstraint('calendar_code', 'day')
    )
    op.create_table('queue_notice',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('business_code', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('text_zh', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('text_en', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['business_code'], ['business.code'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_queue_notice_valid_until'), 'queue_notice', ['valid_until'], unique=False)
    op.create_table('service_queue',
    sa.Column('business_code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('calendar_code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('customer_kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('points', sa.Integer(), nullable=False),
    sa.Column('cap', sa.Integer(), nullable=True),
    sa.Column('max_wait_s', sa.Float(), nullable=True),
    sa.Column('slot_s', sa.Integer(), nullable=False),
    sa.Column('slot_capacity', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['business_code'], ['business.code'], ),
    sa.ForeignKeyConstraint(['calendar_code'], ['opening_calendar.code'], ),
    sa.PrimaryKeyConstraint('business_code')
    )
    op.create_table('appointment',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('business_code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('language', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('contact', sa.LargeBinary(), nullable=False),
    sa.Column('contact_masked', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_in_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('visit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.ForeignKeyConstraint(['business_code'], ['business.code'], ),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('code')
    )
    op.create_index(op.f('ix_appointment_business_code'), 'appointment', ['business_code'], unique=False)
    op.create_index(op.f('ix_appointment_starts_at'), 'appointment', ['starts_at'], unique=False)
    op.create_table('call_guest',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('staff_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('seat', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('purpose', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('mode', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('invited_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('peer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('invited_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('joined_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('left_reason', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_call_guest_call_id'), 'call_guest', ['call_id'], unique=False)
    op.create_index(op.f('ix_call_guest_staff_id'), 'call_guest', ['staff_id'], unique=False)
    op.create_table('call_leg',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['teller_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_call_leg_began_at'), 'call_leg', ['began_at'], unique=False)
    op.create_index(op.f('ix_call_leg_call_id'), 'call_leg', ['call_id'], unique=False)
    op.create_index(op.f('ix_call_leg_teller_id'), 'call_leg', ['teller_id'], unique=False)
    op.create_table('call_transfer',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('from_teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('to_teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('skill_group', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['from_teller_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['to_teller_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_call_transfer_call_id'), 'call_transfer', ['call_id'], unique=False)
    op.create_table('callback',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('visit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('business_code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('skill_group', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('language', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('contact', sa.LargeBinary(), nullable=False),
    sa.Column('contact_masked', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('called_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('returned_visit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.ForeignKeyConstraint(['business_code'], ['business.code'], ),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['returned_visit_id'], ['visit.id'], ),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('call_id'),
    sa.UniqueConstraint('code')
    )
    op.create_index(op.f('ix_callback_skill_group'), 'callback', ['skill_group'], unique=False)
    op.create_index(op.f('ix_callback_state'), 'callback', ['state'], unique=False)
    op.create_table('chat_message',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('party', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('sender', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('client_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('media_type', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('size_b', sa.Integer(), nullable=True),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('object_key', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('call_id', 'party', 'client_id')
    )
    op.create_index(op.f('ix_chat_message_call_id'), 'chat_message', ['call_id'], unique=False)
    op.create_table('wait_estimate',
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('low_s', sa.Integer(), nullable=True),
    sa.Column('high_s', sa.Integer(), nullable=True),
    sa.Column('waited_s', sa.Float(), nullable=True),
    sa.Column('error_s', sa.Float(), nullable=True),
    sa.Column('outcome', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.PrimaryKeyConstraint('call_id')
    )
    op.create_index(op.f('ix_wait_estimate_told_at'), 'wait_estimate', ['told_at'], unique=False)


def downgrade() -> None:
    # WARNING: constraint name is None; this directive will fail as
    # rendered.  Add a name, or use a naming convention; see
    # https://alembic.sqlalchemy.org/en/latest/naming.html
    op.drop_index(op.f('ix_wait_estimate_told_at'), table_name='wait_estimate')
    op.drop_table('wait_estimate')
    op.drop_index(op.f('ix_chat_message_call_id'), table_name='chat_message')
    op.drop_table('chat_message')
    op.drop_index(op.f('ix_callback_state'), table_name='callback')
    op.drop_index(op.f('ix_callback_skill_group'), table_name='callback')
    op.drop_table('callback')
    op.drop_index(op.f('ix_call_transfer_call_id'), table_name='call_transfer')
    op.drop_table('call_transfer')
    op.drop_index(op.f('ix_call_leg_teller_id'), table_name='call_leg')
    op.drop_index(op.f('ix_call_leg_call_id'), table_name='call_leg')
    op.drop_index(op.f('ix_call_leg_began_at'), table_name='call_leg')
    op.drop_table('call_leg')
    op.drop_index(op.f('ix_call_guest_staff_id'), table_name='call_guest')
    op.drop_index(op.f('ix_call_guest_call_id'), table_name='call_guest')
    op.drop_table('call_guest')
    op.drop_index(op.f('ix_appointment_starts_at'), table_name='appointment')
    op.drop_index(op.f('ix_appointment_business_code'), table_name='appointment')
    op.drop_table('appointment')
    op.drop_table('service_queue')
    op.drop_index(op.f('ix_queue_notice_valid_until'), table_name='queue_notice')
    op.drop_table('queue_notice')
    op.drop_table('calendar_day')
    op.drop_table('skill_group')
    op.drop_table('opening_calendar')
    op.drop_index('ix_call_waiting', table_name='call')
    for column in (
        'help_asked_at', 'teller_since', 'wanted_until', 'wanted_teller_id', 'rank_at', 'customer_class', 'skill_group',
    ):
        op.drop_column('call', column)
