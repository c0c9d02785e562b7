"""Calls in writing, who says of which class a customer is, and files handed in with a booked time."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('call', sa.Column('channel', sa.String(), nullable=False, server_default='video'))
    op.add_column('call', sa.Column('class_source', sa.String(), nullable=False, server_default=''))
    op.add_column('call', sa.Column('video_asked_at', sa.DateTime(timezone=True), nullable=True))
    # Until now only the page's large text said that somebody is elderly, and only a booking that somebody is booked.
    op.execute("update call set class_source = 'booking' where customer_class = 'appointment'")
    op.execute("update call set class_source = 'declared' where customer_class in ('elderly', 'disabled')")
    op.create_table(
        'early_document',
        sa.Column('id', sa.String(), primary_key=True),
        sa.Column('appointment_id', sa.String(), sa.ForeignKey('appointment.id'), nullable=False),
        sa.Column('code', sa.String(), nullable=False),
        sa.Column('content_type', sa.String(), nullable=False),
        sa.Column('pages', sa.Integer(), nullable=False),
        sa.Column('size_b', sa.Integer(), nullable=False),
        sa.Column('sha256', sa.String(), nullable=False),
        sa.Column('object_key', sa.String(), nullable=False),
        sa.Column('thumbnail_key', sa.String(), nullable=False),
        sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('taken_by', sa.String(), nullable=True),
    )
    op.create_index('ix_early_document_appointment_id', 'early_document', ['appointment_id'])


def downgrade() -> None:
    op.drop_table('early_document')
    for column in ('video_asked_at', 'class_source', 'channel'):
        op.drop_column('call', column)
