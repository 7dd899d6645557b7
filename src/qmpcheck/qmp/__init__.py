"""Start a QEMU and speak QMP with it; used by the gate, by recording and by introspection."""
