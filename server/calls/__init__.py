"""The calls room: the life of a call, from joining the queue to the disposition and the rating.

Does: moves calls along the table in `states`, decides from media changes when a call is connected or lost, opens and
closes media, shows a call to both sides and its result to inspectors.
Publishes: CallQueued, CallConnected, CallEnded, CallWrappedUp, CallRated; on the LIVE topic ``call`` and ``media``.
Listens to: PeerChange (MEDIA), RecordingFailed, RecordingResumed,
OfferLapsed, ``transcription`` (LIVE). Writes: Call, Rating.
"""
