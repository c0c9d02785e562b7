"""The tickets room: follow-ups of low ratings and complaints, each story told once to the department that answers it.

Publishes: TicketOpened, TicketAnswered. Listens to: CallRated. Writes: Ticket, TicketStep.
"""
