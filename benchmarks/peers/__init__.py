"""The workloads as other hosts do them, one script each, called WORKLOAD BLOCK SECONDS OUT.wav INPUT_FOLDER.

What a host cannot express is said at the top of its script.
"""
