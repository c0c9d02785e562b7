"""The acd room: queueing and routing (automatic call distribution), and the tellers' presence.

Does: decides who gets which waiting call, rings, lapses, tells positions and honest waits. One dispatcher at a time.
Publishes: CallOffered, OfferLapsed, CallAccepted, TellerStateChanged.
Listens to: CallQueued, CallEnded, TellerStateChanged, OfferLapsed, CallWrappedUp (to wake the dispatcher).
Writes: CallOffer, TellerPresence.
"""
