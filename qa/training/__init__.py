"""Practising the script: sample calls and own lines against the rules in force. Keeps nothing, writes nothing."""
