"""The chat room: written words and pictures between customer and teller, while waiting and during the call.

Does: checks, seals and keeps messages, on the call's time line by their time.
Publishes: ChatMessageSent. Listens to: nothing.
Writes: ChatMessage; sealed pictures in the object store under ``chat/``.
"""
