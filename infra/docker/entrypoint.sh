#!/bin/sh
# lambda: AWS's runtime client with the function's handler. http: the same app as a web server. consume: the worker that
# asks Kafka for its records. Else: that program.
set -eu

# Each file in a folder of /run/passepartout is a setting: its name and its value.
for file in /run/passepartout/*/*; do
  [ -f "$file" ] && export "$(basename "$file")=$(cat "$file")"
done

case "$1" in
lambda)
  if [ -z "${AWS_LAMBDA_RUNTIME_API:-}" ]; then
    echo "$FUNCTION: run by Lambda, it answers events; to serve it here: docker run ... http" >&2
    exit 2
  fi
  exec python -m awslambdaric "functions.$FUNCTION.handler.handler"
  ;;
http)
  export METRICS_PORT="${METRICS_PORT:-9100}"
  # Kept longer than a load balancer does, 60 s: a connection that is closed first on this side fails what comes that moment.
  exec python -m uvicorn "functions.$FUNCTION.handler:app" --host 0.0.0.0 --port "${PORT:-8080}" \
    --no-access-log --no-server-header --no-proxy-headers --timeout-graceful-shutdown 20 \
    --timeout-keep-alive 75
  ;;
consume)
  export METRICS_PORT="${METRICS_PORT:-9100}"
  exec python -m "functions.$FUNCTION"
  ;;
*) exec "$@" ;;
esac
