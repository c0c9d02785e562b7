"""The open room: other systems of the bank.

Does: API keys with scopes; booking, following calls and fetching results for their holders; signed webhooks.
Publishes: WebhookQueued. Listens to: what `messages.EVENTS` names.
Writes: ApiKey, OpenBooking, Webhook, WebhookDelivery.
"""
