"""Files of other tools into datasets and statements: what an administrator drops, or a folder receives.

`files` keeps a file while it waits, `preparation` proposes how to read it, `running` takes it in batch by
batch, `destinations` says what a row becomes, `refusals` gives back what could not go in.
"""
