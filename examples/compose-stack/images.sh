#!/bin/sh
# Makes the four images of this stack out of Debian packages: a container installs them, and what it became is committed.
# Nothing but the machine's own package mirror is asked. DOCKER is the client (docker, or dhow), BASE the image to begin with.
#   ./images.sh [postgres|redis|nginx|app]...
set -eu
cd "$(dirname "$0")"
docker=${DOCKER:-docker}
# The Debian that this machine runs, whose mirror it keeps up with.
base=${BASE:-distro.local/debian:$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")-slim}

# image NAME PACKAGES FILE... : each FILE comes to /usr/local/bin; what the image starts with is on standard input, one change a line.
image() {
  name=$1 packages=$2
  shift 2
  id=$($docker create "$base" sh -c "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages && apt-get clean && rm -rf /var/lib/apt/lists/*")
  # shellcheck disable=SC2064 # the id of now
  trap "$docker rm -f $id >/dev/null" EXIT
  for file in "$@"; do $docker cp -q "images/$file" "$id:/usr/local/bin/$file" >&2; done
  $docker start -a "$id" >"${TMPDIR:-/tmp}/image-$name.log" 2>&1 || { tail -n 20 "${TMPDIR:-/tmp}/image-$name.log" >&2; exit 1; }
  rm -f "${TMPDIR:-/tmp}/image-$name.log"
  set --
  while IFS= read -r change; do set -- "$@" --change "$change"; done
  $docker commit "$@" "$id" "compose-stack/$name" >/dev/null
  $docker rm -f "$id" >/dev/null
  trap - EXIT
  echo "compose-stack/$name"
}

$docker pull -q "$base" >/dev/null
for name in ${*:-postgres redis nginx app}; do
  case $name in
    postgres) image postgres postgresql start-postgres <<'END' ;;
ENTRYPOINT ["start-postgres"]
CMD []
ENV PGDATA=/var/lib/postgresql/data
STOPSIGNAL SIGINT
EXPOSE 5432
END
    redis) image redis redis-server <<'END' ;;
ENTRYPOINT []
CMD ["redis-server", "--bind", "* -::*", "--protected-mode", "no", "--dir", "/var/lib/redis", "--appendonly", "yes"]
USER redis
EXPOSE 6379
END
    nginx) image nginx "nginx-light curl" <<'END' ;;
ENTRYPOINT []
CMD ["nginx", "-g", "daemon off; error_log /dev/stderr warn;"]
STOPSIGNAL SIGQUIT
EXPOSE 80
END
    app) image app "python3 python3-psycopg2 python3-redis" app.py <<'END' ;;
ENTRYPOINT ["app.py"]
CMD []
USER nobody
EXPOSE 8000
END
    *) echo "no image \"$name\" here" >&2; exit 1 ;;
  esac
done
