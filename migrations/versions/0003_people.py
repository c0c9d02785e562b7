"""Tables of: people"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('article',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('slug', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('business_code', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('title', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('body', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('search', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('retired_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['business_code'], ['business.code'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('slug')
    )
    op.create_index(op.f('ix_article_business_code'), 'article', ['business_code'], unique=False)
    op.create_table('emergency',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('event_class', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('drill', sa.Boolean(), nullable=False),
    sa.Column('notice_zh', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('notice_en', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('stop_entry', sa.Boolean(), nullable=False),
    sa.Column('moved_calls', sa.Integer(), nullable=False),
    sa.Column('started_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('review', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['ended_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['started_by'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_emergency_started_at'), 'emergency', ['started_at'], unique=False)
    op.create_table('peer_review',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('month', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reviewer_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('score', sa.Numeric(precision=5, scale=2), nullable=False),
    sa.Column('comment', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['reviewer_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['teller_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('month', 'teller_id', 'reviewer_id')
    )
    op.create_index(op.f('ix_peer_review_month'), 'peer_review', ['month'], unique=False)
    op.create_index(op.f('ix_peer_review_teller_id'), 'peer_review', ['teller_id'], unique=False)
    op.create_table('article_version',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('article_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('title', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('body', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proposed_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('proposed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('verdict', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['article_id'], ['article.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('article_id', 'version')
    )
    op.create_index(op.f('ix_article_version_article_id'), 'article_version', ['article_id'], unique=False)
    op.create_index(op.f('ix_article_version_state'), 'article_version', ['state'], unique=False)
    op.create_table('help_request',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('message', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['answered_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['teller_id'], ['staff.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_help_request_at'), 'help_request', ['at'], unique=False)
    op.create_index(op.f('ix_help_request_teller_id'), 'help_request', ['teller_id'], unique=False)
    op.create_index('ux_help_request_overtime', 'help_request', ['call_id'], unique=True, postgresql_where=sa.text("kind = 'overtime'"))
    op.create_table('ticket',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('department', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('visit_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('call_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('story', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('opened_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('see_by', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('seen_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('answer_by', sa.DateTime(timezone=True), nullable=False),
    sa.Column('escalated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answer', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('answered_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['answered_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['call_id'], ['call.id'], ),
    sa.ForeignKeyConstraint(['seen_by'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['teller_id'], ['staff.id'], ),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('number')
    )
    op.create_index(op.f('ix_ticket_department'), 'ticket', ['department'], unique=False)
    op.create_index(op.f('ix_ticket_opened_at'), 'ticket', ['opened_at'], unique=False)
    op.create_index(op.f('ix_ticket_state'), 'ticket', ['state'], unique=False)
    op.create_index(op.f('ix_ticket_teller_id'), 'ticket', ['teller_id'], unique=False)
    op.create_index(op.f('ix_ticket_visit_id'), 'ticket', ['visit_id'], unique=False)
    op.create_index('ux_ticket_low_rating', 'ticket', ['call_id'], unique=True, postgresql_where=sa.text("kind = 'low_rating'"))
    op.create_table('ticket_step',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('ticket_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('what', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('text', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_ticket_step_ticket_id'), 'ticket_step', ['ticket_id'], unique=False)
    op.add_column('staff', sa.Column('may_take_calls', sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column('staff', sa.Column('must_change_password', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('staff', sa.Column('post_since', sa.DateTime(timezone=True), nullable=True))
    op.add_column('staff', sa.Column('forced_leave_at', sa.DateTime(timezone=True), nullable=True))
    # Chinese text is searched by trigrams; the extension stays when this is undone, others may use it.
    op.execute('create extension if not exists pg_trgm')
    op.create_index('ix_article_search', 'article', ['search'], postgresql_using='gin', postgresql_ops={'search': 'gin_trgm_ops'})


def downgrade() -> None:
    op.drop_index('ix_article_search', table_name='article')
    op.execute('drop extension if exists pg_trgm')
    op.drop_column('staff', 'forced_leave_at')
    op.drop_column('staff', 'post_since')
    op.drop_column('staff', 'must_change_password')
    op.drop_column('staff', 'may_take_calls')
    op.drop_index(op.f('ix_ticket_step_ticket_id'), table_name='ticket_step')
    op.drop_table('ticket_step')
    op.drop_index('ux_ticket_low_rating', table_name='ticket', postgresql_where=sa.text("kind = 'low_rating'"))
    op.drop_index(op.f('ix_ticket_visit_id'), table_name='ticket')
    op.drop_index(op.f('ix_ticket_teller_id'), table_name='ticket')
    op.drop_index(op.f('ix_ticket_state'), table_name='ticket')
    op.drop_index(op.f('ix_ticket_opened_at'), table_name='ticket')
    op.drop_index(op.f('ix_ticket_department'), table_name='ticket')
    op.drop_table('ticket')
    op.drop_index('ux_help_request_overtime', table_name='help_request', postgresql_where=sa.text("kind = 'overtime'"))
    op.drop_index(op.f('ix_help_request_teller_id'), table_name='help_request')
    op.drop_index(op.f('ix_help_request_at'), table_name='help_request')
    op.drop_table('help_request')
    op.drop_index(op.f('ix_article_version_state'), table_name='article_version')
    op.drop_index(op.f('ix_article_version_article_id'), table_name='article_version')
    op.drop_table('article_version')
    op.drop_index(op.f('ix_peer_review_teller_id'), table_name='peer_review')
    op.drop_index(op.f('ix_peer_review_month'), table_name='peer_review')
    op.drop_table('peer_review')
    op.drop_index(op.f('ix_emergency_started_at'), table_name='emergency')
    op.drop_table('emergency')
    op.drop_index(op.f('ix_article_business_code'), table_name='article')
    op.drop_table('article')
