"""BURN beside other defences, on the same models and the same data: `make peers`.

`detection` and `purification` hold one method a file, each written from its paper with the paper's settings; `methods`
lists them. `__main__` measures, `page` writes docs/peers.md, `tests` holds each method against a library or a figure of its
authors (`make peers-check`).
"""
