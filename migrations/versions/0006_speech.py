"""Tables of: speech"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def _text(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=nullable)


def _time(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.execute('create extension if not exists pg_trgm')
    op.add_column('finding', _text('verdict', nullable=True))
    op.add_column('finding', _text('verdict_by', nullable=True))
    op.add_column('finding', _time('verdict_at', nullable=True))
    op.create_foreign_key('fk_finding_verdict_by', 'finding', 'staff', ['verdict_by'], ['id'])
    op.create_index(op.f('ix_finding_rule_id'), 'finding', ['rule_id'])

    op.create_table(
        'transcript_correction',
        _text('segment_id'),
        _text('call_id'),
        _text('text'),
        _text('corrected_by'),
        _time('corrected_at'),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['segment_id'], ['transcript_segment.id'], ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['call_id'], ['call.id']),
        sa.ForeignKeyConstraint(['corrected_by'], ['staff.id']),
        sa.PrimaryKeyConstraint('segment_id'),
    )
    op.create_index(op.f('ix_transcript_correction_call_id'), 'transcript_correction', ['call_id'])

    op.create_table(
        'search_segment',
        _text('segment_id'),
        _text('call_id'),
        _text('party'),
        _text('business_code'),
        _time('said_at'),
        sa.Column('start_s', sa.Float(), nullable=False),
        sa.Column('end_s', sa.Float(), nullable=False),
        _text('text'),
        _text('grams'),
        _text('pinyin'),
        sa.ForeignKeyConstraint(['segment_id'], ['transcript_segment.id'], ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['call_id'], ['call.id']),
        sa.PrimaryKeyConstraint('segment_id'),
    )
    op.create_index(op.f('ix_search_segment_call_id'), 'search_segment', ['call_id'])
    op.create_index(op.f('ix_search_segment_said_at'), 'search_segment', ['said_at'])
    for column in ('grams', 'pinyin'):
        op.create_index(
            f'ix_search_segment_{column}',
            'search_segment',
            [column],
            postgresql_using='gin',
            postgresql_ops={column: 'gin_trgm_ops'},
        )

    op.create_table(
        'rule_set',
        _text('id'),
        sa.Column('number', sa.Integer(), nullable=False),
        _text('digest'),
        _text('content'),
        _text('state'),
        _text('note'),
        _text('author_id', nullable=True),
        _time('created_at'),
        _time('changed_at'),
        _time('submitted_at', nullable=True),
        _text('decided_by', nullable=True),
        _time('decided_at', nullable=True),
        _text('decision_note'),
        _time('activated_at', nullable=True),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['author_id'], ['staff.id']),
        sa.ForeignKeyConstraint(['decided_by'], ['staff.id']),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('number'),
    )
    op.create_index(op.f('ix_rule_set_state'), 'rule_set', ['state'])
    # Two people approving at once must not leave two rule sets in force.
    op.create_index(
        'one_active_rule_set', 'rule_set', ['state'], unique=True, postgresql_where=sa.text("state = 'active'")
    )


def downgrade() -> None:
    op.drop_table('rule_set')
    op.drop_table('search_segment')
    op.drop_table('transcript_correction')
    op.drop_index(op.f('ix_finding_rule_id'), table_name='finding')
    op.drop_constraint('fk_finding_verdict_by', 'finding')
    for column in ('verdict_at', 'verdict_by', 'verdict'):
        op.drop_column('finding', column)
