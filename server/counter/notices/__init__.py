"""Messages to customers: in-app, by e-mail and by SMS, through an outbox with retries and visible failures."""
