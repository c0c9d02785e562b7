"""Tables of: qa"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('evaluation_form',
    sa.Column('form_version', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('form_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('edited_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('edited_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('activated_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('activated_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['activated_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['edited_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('form_version')
    )
    op.create_index(op.f('ix_evaluation_form_form_id'), 'evaluation_form', ['form_id'], unique=False)
    op.create_table('inspector_conflict',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('inspector_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('team', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['inspector_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['teller_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_inspector_conflict_inspector_id'), 'inspector_conflict', ['inspector_id'], unique=False)
    op.create_table('sample_plan',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('enabled', sa.Boolean(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drawn_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('carried', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('edited_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('edited_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['edited_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('sample_draw',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('plan_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('plan', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('period_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('period_to', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seed', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('frame', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('frame_sha256', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('inspectors', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('owed', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('carried', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('picks', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drawn_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['plan_id'], ['sample_plan.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_sample_draw_drawn_at'), 'sample_draw', ['drawn_at'], unique=False)
    op.create_index(op.f('ix_sample_draw_plan_id'), 'sample_draw', ['plan_id'], unique=False)
    op.create_table('best_case',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('business_code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('title', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('lesson', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('from_s', sa.Float(), nullable=False),
    sa.Column('to_s', sa.Float(), nullable=False),
    sa.Column('lines', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('added_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['added_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_best_case_call_id'), 'best_case', ['call_id'], unique=False)
    op.create_table('calibration_session',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('title', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('form_version', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('expert_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('participants', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['expert_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_calibration_session_call_id'), 'calibration_session', ['call_id'], unique=False)
    op.create_table('coaching_note',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('author_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at_s', sa.Float(), nullable=True),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['teller_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_coaching_note_call_id'), 'coaching_note', ['call_id'], unique=False)
    op.create_index(op.f('ix_coaching_note_teller_id'), 'coaching_note', ['teller_id'], unique=False)
    op.create_table('inspection_task',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('draw_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('inspector_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['draw_id'], ['sample_draw.id'], ),
    sa.ForeignKeyConstraint(['inspector_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_inspection_task_call_id'), 'inspection_task', ['call_id'], unique=False)
    op.create_index(op.f('ix_inspection_task_draw_id'), 'inspection_task', ['draw_id'], unique=False)
    op.create_index(op.f('ix_inspection_task_due_at'), 'inspection_task', ['due_at'], unique=False)
    op.create_index(op.f('ix_inspection_task_inspector_id'), 'inspection_task', ['inspector_id'], unique=False)
    op.create_index('ix_inspection_task_one_open', 'inspection_task', ['call_id'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_index(op.f('ix_inspection_task_state'), 'inspection_task', ['state'], unique=False)
    op.create_table('appeal',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('evaluation_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('supervisor_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('lead_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('supported_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['evaluation_id'], ['evaluation.id'], ),
    sa.ForeignKeyConstraint(['lead_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['supervisor_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['teller_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('evaluation_id')
    )
    op.create_index(op.f('ix_appeal_call_id'), 'appeal', ['call_id'], unique=False)
    op.create_index(op.f('ix_appeal_state'), 'appeal', ['state'], unique=False)
    op.create_index(op.f('ix_appeal_teller_id'), 'appeal', ['teller_id'], unique=False)
    op.create_table('calibration_score',
    sa.Column('session_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('staff_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('answers', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('score', sa.Numeric(precision=6, scale=2), nullable=False),
    sa.Column('fatal', sa.Boolean(), nullable=False),
    sa.Column('comment', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['calibration_session.id'], ),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('session_id', 'staff_id')
    )
    op.create_table('defect',
    sa.Column('evaluation_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('item_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('category', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('title_zh', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('title_en', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('fatal', sa.Boolean(), nullable=False),
    sa.Column('lost', sa.Numeric(precision=6, scale=2), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['evaluation_id'], ['evaluation.id'], ),
    sa.PrimaryKeyConstraint('evaluation_id', 'item_id')
    )
    op.create_index(op.f('ix_defect_call_id'), 'defect', ['call_id'], unique=False)
    op.create_index(op.f('ix_defect_category'), 'defect', ['category'], unique=False)
    op.create_table('evaluation_step',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('evaluation_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('staff_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('action', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('score_before', sa.Numeric(precision=6, scale=2), nullable=True),
    sa.Column('score_after', sa.Numeric(precision=6, scale=2), nullable=True),
    sa.Column('note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['evaluation_id'], ['evaluation.id'], ),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_evaluation_step_evaluation_id'), 'evaluation_step', ['evaluation_id'], unique=False)
    op.create_table('appeal_item',
    sa.Column('appeal_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('item_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('supported', sa.Boolean(), nullable=True),
    sa.Column('supervisor_note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('upheld', sa.Boolean(), nullable=True),
    sa.Column('fraction', sa.Numeric(precision=5, scale=4), nullable=True),
    sa.Column('lead_note', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['appeal_id'], ['appeal.id'], ),
    sa.PrimaryKeyConstraint('appeal_id', 'item_id')
    )
    op.create_table('rectification',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('finding_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('item_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('title', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('demand', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('category', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('created_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('escalated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['finding_id'], ['finding.id'], ),
    sa.ForeignKeyConstraint(['teller_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_rectification_call_id'), 'rectification', ['call_id'], unique=False)
    op.create_index(op.f('ix_rectification_due_at'), 'rectification', ['due_at'], unique=False)
    op.create_index(op.f('ix_rectification_state'), 'rectification', ['state'], unique=False)
    op.create_index(op.f('ix_rectification_teller_id'), 'rectification', ['teller_id'], unique=False)
    op.create_table('rectification_step',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('rectification_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('staff_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('action', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proof_call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.ForeignKeyConstraint(['proof_call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['rectification_id'], ['rectification.id'], ),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_rectification_step_rectification_id'), 'rectification_step', ['rectification_id'], unique=False)
    op.add_column('evaluation', sa.Column('draft', postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default='{}'))
    op.add_column('evaluation', sa.Column('released_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('evaluation', sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('evaluation', sa.Column('final_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('staff', sa.Column('team', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.create_index(op.f('ix_staff_team'), 'staff', ['team'], unique=False)
    op.alter_column('evaluation', 'draft', server_default=None)


def downgrade() -> None:
    op.drop_index(op.f('ix_staff_team'), table_name='staff')
    op.drop_column('staff', 'team')
    op.drop_column('evaluation', 'final_at')
    op.drop_column('evaluation', 'acknowledged_at')
    op.drop_column('evaluation', 'released_at')
    op.drop_column('evaluation', 'draft')
    op.drop_index(op.f('ix_rectification_step_rectification_id'), table_name='rectification_step')
    op.drop_table('rectification_step')
    op.drop_index(op.f('ix_rectification_teller_id'), table_name='rectification')
    op.drop_index(op.f('ix_rectification_state'), table_name='rectification')
    op.drop_index(op.f('ix_rectification_due_at'), table_name='rectification')
    op.drop_index(op.f('ix_rectification_call_id'), table_name='rectification')
    op.drop_table('rectification')
    op.drop_table('appeal_item')
    op.drop_index(op.f('ix_evaluation_step_evaluation_id'), table_name='evaluation_step')
    op.drop_table('evaluation_step')
    op.drop_index(op.f('ix_defect_category'), table_name='defect')
    op.drop_index(op.f('ix_defect_call_id'), table_name='defect')
    op.drop_table('defect')
    op.drop_table('calibration_score')
    op.drop_index(op.f('ix_appeal_teller_id'), table_name='appeal')
    op.drop_index(op.f('ix_appeal_state'), table_name='appeal')
    op.drop_index(op.f('ix_appeal_call_id'), table_name='appeal')
    op.drop_table('appeal')
    op.drop_index(op.f('ix_inspection_task_state'), table_name='inspection_task')
    op.drop_index('ix_inspection_task_one_open', table_name='inspection_task', postgresql_where=sa.text("state = 'open'"))
    op.drop_index(op.f('ix_inspection_task_inspector_id'), table_name='inspection_task')
    op.drop_index(op.f('ix_inspection_task_due_at'), table_name='inspection_task')
    op.drop_index(op.f('ix_inspection_task_draw_id'), table_name='inspection_task')
    op.drop_index(op.f('ix_inspection_task_call_id'), table_name='inspection_task')
    op.drop_table('inspection_task')
    op.drop_index(op.f('ix_coaching_note_teller_id'), table_name='coaching_note')
    op.drop_index(op.f('ix_coaching_note_call_id'), table_name='coaching_note')
    op.drop_table('coaching_note')
    op.drop_index(op.f('ix_calibration_session_call_id'), table_name='calibration_session')
    op.drop_table('calibration_session')
    op.drop_index(op.f('ix_best_case_call_id'), table_name='best_case')
    op.drop_table('best_case')
    op.drop_index(op.f('ix_sample_draw_plan_id'), table_name='sample_draw')
    op.drop_index(op.f('ix_sample_draw_drawn_at'), table_name='sample_draw')
    op.drop_table('sample_draw')
    op.drop_table('sample_plan')
    op.drop_index(op.f('ix_inspector_conflict_inspector_id'), table_name='inspector_conflict')
    op.drop_table('inspector_conflict')
    op.drop_index(op.f('ix_evaluation_form_form_id'), table_name='evaluation_form')
    op.drop_table('evaluation_form')
