#!/bin/sh
# Every night: the model learns of the rows that were measured since, and forecasts those that come next.
#
#   crontab:  30 2 * * *  /srv/forecasts/nightly.sh /srv/forecasts >> /srv/forecasts/nightly.log 2>&1
#
# The folder holds model.skts, written by `skts fit`; new.csv, rows with the target, among which those that the model has
# seen are left out; and weather.csv, what is known of the rows to come. Whatever fails, model.skts and forecasts.csv are
# those of before, whole, and the next night makes up for it.
set -eu
cd "${1:?the folder with model.skts, new.csv and weather.csv}"
skts=${SKTS:-skts}

exec 9> nightly.lock
flock --nonblock 9 || { echo "nightly.sh: the run of before is not over" >&2; exit 1; }

$skts update --model model.skts --output next.skts new.csv
test -e next.skts || cp model.skts next.skts    # nothing was new
$skts predict --model next.skts --ahead --known-ahead weather.csv --output forecasts.csv
mv next.skts model.skts
# a service is told here, such as by: podman restart forecasts
