#!/bin/sh
# SERVICE_MGR_NODE names the Node.js to use, where it is not the one on the PATH.
node=${SERVICE_MGR_NODE:-node}
if ! command -v "$node" >/dev/null 2>&1; then
    echo "@PROGRAM@: needs Node.js @NODE@ or newer, and there is no \"$node\"; see /usr/share/doc/service-mgr/README.md" >&2
    exit 78
fi
exec "$node" /usr/lib/service-mgr/@PROGRAM@.cjs "$@"
