#!/bin/sh
# Shows what this stack is an example of, with an engine of its own that leaves nothing behind: builds dhow where that is
# needed, makes the images, and says each thing once it was seen. Ends with 1 at the first that does not hold.
set -eu
cd "$(dirname "$0")/../.."
DHOW_SETUP=1 ./dhow
exec node_modules/.bin/bun tools/compose-stack/main.ts "$@"
