"""People: audit chain and calls' numbers are made in the database; spans of the tellers' presence; indexes"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

# Fires within COMMIT: the chain's lock is held while the server writes, never while it waits for a client.
# Under READ COMMITTED every statement of it sees what was committed before the lock was had.
_CHAIN = """
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at_seq bigint;
    before text;
    digest text;
    told text;
    entry jsonb;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the audit log is written under READ COMMITTED only';
    END IF;
    PERFORM pg_advisory_xact_lock(1096107081);  -- "AUDI"
    SELECT seq, hash INTO at_seq, digest FROM audit_entry ORDER BY seq DESC LIMIT 1;
    IF NOT FOUND THEN
        at_seq := 0;
        digest := repeat('0', 64);
    END IF;
    FOREACH told IN ARRAY NEW.entries LOOP
        at_seq := at_seq + 1;
        before := digest;
        digest := encode(sha256(convert_to(before || '[' || at_seq || ',' || substr(told, 2), 'UTF8')), 'hex');
        entry := told::jsonb;
        INSERT INTO audit_entry (seq, at, actor, action, object_type, object_id, detail, prev_hash, hash)
        VALUES (at_seq, (entry->>0)::timestamptz, entry->>1, entry->>2, entry->>3, entry->>4, entry->5, before, digest);
    END LOOP;
    DELETE FROM audit_pending WHERE id = NEW.id;
    RETURN NULL;
END $$
"""

# A number is given once, whatever becomes of its call. The look at the table is for a release that still counts itself.
_NUMBER = """
CREATE FUNCTION next_call_number() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found_number integer;
BEGIN
    LOOP
        found_number := nextval('call_number');
        EXIT WHEN NOT EXISTS (SELECT FROM call WHERE number = found_number);
    END LOOP;
    RETURN found_number;
END $$
"""

# What the facts told so far. The last state of each teller still runs and stays in teller_presence.
_SPANS = """
INSERT INTO teller_span (teller_id, state, began_at, ended_at)
SELECT teller_id, state, at, ended_at FROM (
    SELECT payload::json->>'teller_id' AS teller_id, payload::json->>'state' AS state, at,
      lead(at) OVER (PARTITION BY payload::json->>'teller_id' ORDER BY seq) AS ended_at
    FROM outbox_event WHERE type = 'TellerStateChanged'
) facts WHERE ended_at > at
"""


def upgrade() -> None:
    op.create_table(
        'audit_pending',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column('entries', sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint('id'),
        prefixes=['UNLOGGED'],  # a row is gone before its transaction is over
    )
    op.execute(_CHAIN)
    op.execute(
        'CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit_pending '
        'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_chain()'
    )
    op.execute('CREATE SEQUENCE call_number AS integer')
    op.execute("SELECT setval('call_number', max(number)) FROM call HAVING max(number) IS NOT NULL")
    op.execute(_NUMBER)
    op.alter_column('call', 'number', server_default=sa.text('next_call_number()'))
    op.create_table(
        'teller_span',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column('teller_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['teller_id'], ['staff.id']),
        sa.PrimaryKeyConstraint('id'),
    )
    op.execute(_SPANS)
    op.create_index(op.f('ix_teller_span_began_at'), 'teller_span', ['began_at'], unique=False)
    # The wallboard begins its day from these.
    op.create_index(
        'ix_outbox_event_teller_state', 'outbox_event', ['at'], postgresql_where=sa.text("type = 'TellerStateChanged'")
    )
    # Everybody who joins looks for a promised call back, and at how long the group's last calls took.
    op.create_index(op.f('ix_callback_returned_visit_id'), 'callback', ['returned_visit_id'], unique=False)
    op.create_index('ix_call_group_closed', 'call', ['skill_group', 'closed_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_outbox_event_teller_state', 'outbox_event')
    op.drop_table('teller_span')
    op.drop_index('ix_call_group_closed', 'call')
    op.drop_index(op.f('ix_callback_returned_visit_id'), 'callback')
    op.alter_column('call', 'number', server_default=None)
    op.execute('DROP FUNCTION next_call_number()')
    op.execute('DROP SEQUENCE call_number')
    op.drop_table('audit_pending')
    op.execute('DROP FUNCTION audit_chain()')
