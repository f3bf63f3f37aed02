"""Between files and the running engine: tapes that file players read from, takes that recorders write.

`Reader` keeps tapes filled round the transport's place, `DiskCache` copies the files they play into memory, `Recorder`
writes streams to files that can be read at any moment, `save_last` keeps the last seconds of a ring.
"""
