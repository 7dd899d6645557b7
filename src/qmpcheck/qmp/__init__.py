"""Starting a QEMU and talking QMP to it; used by the gate, by recording and by introspection."""
