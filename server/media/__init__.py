"""The media room: a pass-through SFU. It moves RTP packets between the seats of a call and never opens a picture.

Does: offers a WebRTC transport per seat, forwards, repairs (NACK/RTX), asks for key frames, feeds recorder and speech
tap as subscribers of a seat. Packets never leave this room except through a `MediaSink`.
Publishes: `PeerChange` through the callback given to `MediaNode`. Listens to: nothing. Writes: no tables.
"""
