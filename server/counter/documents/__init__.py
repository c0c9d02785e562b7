"""Pictures and files handed in for a step: looked at (`files`), encrypted and stored (`shelf`), served (`routes`)."""
