"""Other systems of the bank: API keys, their bookings, webhooks and the messages to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

_JSON = postgresql.JSONB(astext_type=sa.Text())
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'api_key',
        sa.Column('id', sa.String(), primary_key=True),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('sha256', sa.String(), nullable=False, unique=True),
        sa.Column('scopes', _JSON, nullable=False),
        sa.Column('created_by', sa.String(), nullable=False),
        sa.Column('created_at', _TIME, nullable=False),
        sa.Column('expires_at', _TIME, nullable=False),
        sa.Column('last_used_at', _TIME),
        sa.Column('revoked_at', _TIME),
    )
    op.create_table(
        'open_booking',
        sa.Column('id', sa.String(), primary_key=True),
        sa.Column('key_id', sa.String(), sa.ForeignKey('api_key.id'), nullable=False),
        sa.Column('reference', sa.String(), nullable=False),
        sa.Column('appointment_id', sa.String(), sa.ForeignKey('appointment.id'), nullable=False, unique=True),
        sa.Column('created_at', _TIME, nullable=False),
        sa.UniqueConstraint('key_id', 'reference'),
    )
    op.create_index('ix_open_booking_key_id', 'open_booking', ['key_id'])
    op.create_table(
        'webhook',
        sa.Column('id', sa.String(), primary_key=True),
        sa.Column('key_id', sa.String(), sa.ForeignKey('api_key.id'), nullable=False),
        sa.Column('url', sa.String(), nullable=False),
        sa.Column('sealed_secret', sa.LargeBinary(), nullable=False),
        sa.Column('events', _JSON, nullable=False),
        sa.Column('enabled', sa.Boolean(), nullable=False),
        sa.Column('created_by', sa.String(), nullable=False),
        sa.Column('created_at', _TIME, nullable=False),
    )
    op.create_index('ix_webhook_key_id', 'webhook', ['key_id'])
    op.create_table(
        'webhook_delivery',
        sa.Column('id', sa.String(), primary_key=True),
        sa.Column('webhook_id', sa.String(), sa.ForeignKey('webhook.id'), nullable=False),
        sa.Column('event_id', sa.String(), nullable=False),
        sa.Column('event', sa.String(), nullable=False),
        sa.Column('call_id', sa.String(), sa.ForeignKey('call.id'), nullable=False),
        sa.Column('body', sa.String(), nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('round', sa.Integer(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('status', sa.Integer()),
        sa.Column('error', sa.String()),
        sa.Column('created_at', _TIME, nullable=False),
        sa.Column('sent_at', _TIME),
        sa.UniqueConstraint('webhook_id', 'event_id'),
    )
    for column in ('webhook_id', 'call_id', 'state', 'created_at'):
        op.create_index(f'ix_webhook_delivery_{column}', 'webhook_delivery', [column])
    op.create_index('ix_appointment_visit_id', 'appointment', ['visit_id'])


def downgrade() -> None:
    op.drop_index('ix_appointment_visit_id', 'appointment')
    for table in ('webhook_delivery', 'webhook', 'open_booking', 'api_key'):
        op.drop_table(table)
