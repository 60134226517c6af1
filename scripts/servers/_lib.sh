# What all scripts/servers share: arguments, ports, life as a child or in the background, readiness, removal. Sourced, not run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source this
#
# A server script is this, after the comment that is its help:
#
#   . "$(dirname "$0")/../lib.sh"
#   . "$(dirname "$0")/_lib.sh"
#   kind=triton version=2.51.0 backend=python     # backend: optional, what runs the model, told in the ready line
#   protocols=(kserve kserve-rest)                # all that it speaks; one ending in -rest means that it has a REST port
#   no_batches="X gathers no requests"            # optional: why --max-batch is refused
#   server_prepare() { … }                        # installs into $home; quick and without network where all is there already
#   server_prepared() { … }                       # true where `prepare` has been done and still fits; quick
#   server_command() { … }                        # sets the array server=(program argument…); may write files below $work and
#                                                 # export variables. May refuse: die 64 "…", or die 3 "…: $(log_says)" with
#                                                 # what a program wrote >>"$dir/server.log" 2>&1. Runs anew if a port was taken
#   server_answers MODEL_I { … }                  # true when it says, over the protocol, that model MODEL_I is ready to predict
#   server_cleanup() { … }                        # optional: removes what it leaves outside $work
#   serve_main "$@"
#
# Functions may be sure of: $home (.cache/servers/KIND), $here (scripts/servers/KIND.d), $work (a folder below DIR, removed at the
# end; also the server's working folder, HOME and TMPDIR), $grpc_port and $rest_port (free, below 32768), ${model_names[i]},
# ${model_dirs[i]} (absolute), ${model_versions[i]} (the highest number below it that holds $model_file, model.onnx),
# $protocol (empty: all), $threads (default 1), $max_batch (empty: no batching), $batch_delay_us (default 0).
# http_is_ok PORT PATH is true where GET says 200. `extra_fields` may be set to more of the ready line: ',"name":"value"'.
#
# The server has to stay in the foreground and on 127.0.0.1 and to refuse a taken port (a Python gRPC server: option
# ("grpc.so_reuseport", 0)); then `serve_main` sees another's port, and chooses again.
# It is found by the variable SERVEPATH_SERVER_DIR in its environment, and so are all processes it starts, wherever they went.

: "${sp_root:?source scripts/lib.sh first}"
sp_name=scripts/servers/$(basename "$0")
kind=$(basename "$0") version="" backend="" extra_fields=""
model_file=model.onnx # what a version's folder must hold; a script may set another: saved_model.pb
protocols=() server=() no_batches=""
here=$(cd "$(dirname "$0")" && pwd)/$kind.d
home=$sp_root/.cache/servers/$kind
model_names=() model_dirs=() model_versions=()
dir="" work="" name=0 protocol="" threads=1 max_batch="" batch_delay_us=0
grpc_port="" rest_port=""
ready_within_s=${SERVEPATH_SERVER_READY_S:-60}
detached=false keep_log=false nap_fd=""
server_pid=""
options=()

http_is_ok() {
  (
    exec 2>/dev/null
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
    IFS= read -r -t 5 line <&3 && [[ $line == HTTP/1.?\ 200* ]]
  )
}

serve_usage() {
  local batching="  --max-batch N         gathers requests into batches of at most N rows; without it none are gathered
  --batch-delay D       how long a request may wait for others: 500us, 2ms (0us)"
  [ -z "$no_batches" ] || batching="  --max-batch N         refused: $no_batches"
  usage
  cat <<END

  scripts/servers/$kind prepare                     installs it into .cache/servers/$kind; nothing to do where it is there
  scripts/servers/$kind run --dir DIR OPTIONS       in the foreground; all its files below DIR, removed at the end
  scripts/servers/$kind start [--name N] OPTIONS    in the background; prints its ready line
  scripts/servers/$kind stop [--name N]             ends it and removes its files
  scripts/servers/$kind status [--name N]           its ready line, and exit 0; exit 3 where it does not run

  --model NAME=FOLDER   serves FOLDER/VERSION/$model_file as NAME, the highest version; may be repeated
  --protocol P          refused unless it is one of: ${protocols[*]}
  --threads N           threads that predict (1)
$batching

When every model is ready, one line stands on stdout: {"ready":true,"part":"model server","kind":"$kind",…}. Listens on free
ports of 127.0.0.1 only. Ends on SIGTERM, and \`run\` also with its parent. Exit 3 where it does not start.
END
}

# ---- arguments

take_count() { # OPTION VALUE MAX
  case $2 in "" | *[!0-9]*) die 64 "$1 $2: a whole number from 1 to $3" ;; esac
  { [ ${#2} -le 6 ] && [ "$2" -ge 1 ] && [ "$2" -le "$3" ]; } || die 64 "$1 $2: a whole number from 1 to $3"
}

take_delay() {
  [[ $2 =~ ^([0-9]{1,11})(ns|us|ms|s)$ ]] || die 64 "$1 $2: a whole number with a unit, 500us or 2ms"
  local n=$((10#${BASH_REMATCH[1]}))
  case ${BASH_REMATCH[2]} in
    ns) batch_delay_us=$(((n + 999) / 1000)) ;;
    us) batch_delay_us=$n ;;
    ms) batch_delay_us=$((n * 1000)) ;;
    s) batch_delay_us=$((n * 1000000)) ;;
  esac
  [ "$batch_delay_us" -le 10000000 ] || die 64 "$1 $2: at most 10s"
}

take_model() {
  local model=${1%%=*} folder=${1#*=} newest="" candidate
  [[ $1 == *=* && -n $folder ]] || die 64 "--model $1: NAME=FOLDER"
  [[ $model =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]] || die 64 "--model $1: the name is made of letters, digits, dot, dash and underscore"
  [[ " ${model_names[*]} " != *" $model "* ]] || die 64 "--model $1: $model is there already"
  [ -d "$folder" ] || die 3 "--model $1: no folder $folder"
  folder=$(cd "$folder" && pwd)
  for candidate in "$folder"/*/; do
    candidate=$(basename "$candidate")
    [[ $candidate =~ ^[1-9][0-9]{0,8}$ && -e $folder/$candidate/$model_file ]] || continue
    [ "${newest:-0}" -gt "$candidate" ] || newest=$candidate
  done
  [ -n "$newest" ] || die 3 "--model $1: no $folder/VERSION/$model_file; VERSION is a whole number, as in fixtures/fraud/models/fraud/1"
  model_names+=("$model") model_dirs+=("$folder") model_versions+=("$newest")
}

take_protocol() {
  [[ " ${protocols[*]} " == *" $1 "* ]] && protocol=$1 && return
  local all="${protocols[*]}"
  die 64 "$kind speaks ${all// / and }, not $1; write --protocol ${protocols[0]}"
}

take_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) serve_usage && exit 0 ;;
      --detached) detached=true && shift && continue ;; # start's own: outlives its parent, keeps the log of a failed start
      --dir | --name | --model | --protocol | --threads | --max-batch | --batch-delay)
        [ -n "${2:-}" ] || die 64 "$1 takes a value; see $sp_name --help"
        ;;
    esac
    case $1 in
      --dir) dir=$2 ;;
      --name) name=$2 ;;
      --model) take_model "$2" ;;
      --protocol) take_protocol "$2" ;;
      --threads) take_count "$1" "$2" 64 && threads=$2 ;;
      --max-batch)
        [ -z "$no_batches" ] || die 64 "--max-batch: $no_batches; leave it out"
        take_count "$1" "$2" 65536 && max_batch=$2
        ;;
      --batch-delay) take_delay "$1" "$2" ;;
      *) die 64 "unknown option $1; see $sp_name --help" ;;
    esac
    case $1 in --dir | --name) ;; *) options+=("$1" "$2") ;; esac
    shift 2
  done
  case $name in *[!A-Za-z0-9_.-]*) die 64 "--name $name: letters, digits, dot, dash and underscore only" ;; esac
}

need_models() {
  [ ${#model_names[@]} -gt 0 ] || die 64 "$1 needs --model NAME=FOLDER; see $sp_name --help"
  server_prepared || die 3 "$kind is not installed here; run $sp_name prepare"
}

# ---- the server's life, in `run`

# A pause that ends at once when a signal comes, and starts no process.
nap() { read -r -t "$1" -u "$nap_fd" || true; }

# Below 32768: a client that connects to a free ephemeral port again and again can connect to itself.
choose_ports() {
  local first
  for _ in $(seq 100); do
    first=$((15000 + 2 * (RANDOM % 8500)))
    (exec 3<>"/dev/tcp/127.0.0.1/$first") 2>/dev/null || (exec 3<>"/dev/tcp/127.0.0.1/$((first + 1))") 2>/dev/null || {
      grpc_port=$first
      case " ${protocols[*]} " in *-rest\ *) rest_port=$((first + 1)) ;; esac
      return
    }
  done
  die 3 "no free ports between 15000 and 32000"
}

# All processes of this server, also those that left their parent. None of this shell's own children are among them.
processes() { grep -lszxF "SERVEPATH_SERVER_DIR=$dir" /proc/[0-9]*/environ | cut -d/ -f3 | grep -vxF $$ || true; }

end_processes() {
  local pids tries=0
  [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null || true
  while pids=$(processes) && [ -n "$pids" ]; do
    tries=$((tries + 1))
    # shellcheck disable=SC2086 # several
    if [ $tries -eq 15 ]; then kill $pids 2>/dev/null || true; elif [ $tries -gt 60 ]; then kill -9 $pids 2>/dev/null || true; fi
    nap 0.05
  done
  server_pid=""
}

clean_up() {
  rm -rf "$work"
  ! declare -F server_cleanup >/dev/null || server_cleanup
}

# Whatever happens to this shell, the server is ended and its files are gone.
leave() {
  local code=$?
  trap '' INT HUP TERM
  exec 2>/dev/null
  end_processes
  clean_up
  $keep_log || rm -f "$dir/server.log"
  rmdir "$dir" || true
  exit $code
}

# The line of the log that most likely says why, short and printable.
log_says() {
  local line="" pattern
  for pattern in '[A-Za-z](Error|Exception): ' 'error|exception|failed|cannot|unable|denied|no such|not found' '[^[:space:]]'; do
    [ -n "$line" ] || line=$(grep -aiE "$pattern" "$dir/server.log" | tail -1)
  done
  line=$(LC_ALL=C tr -cd '[:print:]' <<<"${line:-nothing in its log}")
  echo "${line:0:400}"
}

launch() {
  clean_up
  { mkdir -p "$work" && : >"$dir/server.log"; } 2>/dev/null || die 3 "cannot write to $dir; make room there, or use another --dir"
  choose_ports
  server_command
  (
    cd "$work" || exit
    export SERVEPATH_SERVER_DIR=$dir HOME=$work TMPDIR=$work
    exec {nap_fd}<&-
    exec setpriv --pdeathsig TERM "${server[@]}"
  ) >>"$dir/server.log" 2>&1 </dev/null &
  server_pid=$!
}

is_running() { kill -0 "$server_pid" 2>/dev/null; }

# Waits until every model answers. False where the server found its port taken by another.
await_models() {
  local until_s=$((SECONDS + ready_within_s)) i code
  for i in "${!model_names[@]}"; do
    until server_answers "$i"; do
      if ! is_running; then
        code=0
        wait "$server_pid" || code=$?
        ! grep -aqiE 'address already in use|failed to (start|bind|add port)|EADDRINUSE' "$dir/server.log" || return 1
        die 3 "$kind ended before it was ready (exit $code): $(log_says)"
      fi
      [ $SECONDS -lt $until_s ] ||
        die 3 "$kind had model ${model_names[i]} not ready within $ready_within_s s; the last of its log: $(log_says)"
      nap 0.03
    done
  done
}

tell_ready() {
  local rest=""
  [ -z "$rest_port" ] || rest=",\"rest\":\"127.0.0.1:$rest_port\""
  echo "{\"ready\":true,\"part\":\"model server\",\"kind\":\"$kind\",\"version\":\"$version\",\"address\":\"127.0.0.1:$grpc_port\"$rest${backend:+,\"backend\":\"$backend\"}$extra_fields,\"pid\":$server_pid}"
}

run() {
  [ -n "$dir" ] || die 64 "run needs --dir DIR for its files"
  need_models run
  mkdir -p "$dir" 2>/dev/null || die 3 "cannot make $dir; use another --dir"
  dir=$(cd "$dir" && pwd)
  work=$dir/server
  [ ! -e "$work" ] || die 3 "$work is there already; another server's? use another --dir"
  local code=0 tries
  keep_log=$detached
  exec {nap_fd}<> <(:)
  trap leave EXIT
  trap 'exit 0' INT HUP TERM
  for tries in 1 2 3; do
    launch
    ! await_models || break
    [ "$tries" -lt 3 ] || die 3 "$kind found no free port in three tries: $(log_says)"
    end_processes
  done
  keep_log=false
  tell_ready
  exec >/dev/null
  wait "$server_pid" || code=$?
  die 3 "$kind ended by itself (exit $code): $(log_says)"
}

# ---- in the background

# is_ours PID: it runs, and is what start started.
is_ours() { { tr '\0' '\n' <"/proc/$1/cmdline"; } 2>/dev/null | grep -qxF "$state/run"; }

# It was killed, or the machine went down. In the moment between its start and its name it is neither ours nor dead.
is_dead() {
  local pid
  pid=$(cat "$state/pid" 2>/dev/null) || pid=""
  [ -e "$state" ] && ! is_ours "$pid" || return 1
  [[ -n $pid && -z $({ tr -d '\0' <"/proc/$pid/cmdline"; } 2>/dev/null) ]] || [ -n "$(find "$state" -maxdepth 0 -mmin +2)" ]
}

# Ends also what a killed one left.
remove_state() {
  dir=$state/run
  [ -n "$nap_fd" ] || exec {nap_fd}<> <(:)
  end_processes
  dir="" && rm -rf "$state"
}

start() {
  [ -z "$dir" ] || die 64 "--dir belongs to run; start keeps its files in .cache/run"
  need_models start
  mkdir -p "$sp_root/.cache/run"
  local lock pid why code=0
  exec {lock}>"$sp_root/.cache/run/servers.lock" # of two that find a dead one, one removes it
  flock "$lock"
  ! is_dead || remove_state
  mkdir "$state" 2>/dev/null || die 3 "$kind $name runs already; $sp_name stop --name $name ends it"
  rm -f "$state.log"
  : >"$state/ready"
  setsid "$0" run --detached --dir "$state/run" "${options[@]}" >"$state/ready" 2>"$state/start.log" </dev/null {lock}>&- &
  pid=$!
  echo $pid >"$state/pid"
  exec {lock}>&-
  while kill -0 $pid 2>/dev/null; do # run itself gives up after its time
    [ ! -s "$state/ready" ] || { cat "$state/ready" && exit 0; }
    sleep 0.03
  done
  why=$(sed "s#^$sp_name: ##" "$state/start.log" | tail -1)
  mv "$state/run/server.log" "$state.log" 2>/dev/null && why="$why; all of its log in ${state#"$sp_root"/}.log"
  rm -rf "$state"
  wait $pid || code=$?
  [ $code -eq 64 ] || code=3 # an option that this server refuses is the user's to mend
  die $code "${why:-$kind did not start}"
}

stop() {
  [ -e "$state/pid" ] || die 3 "$kind $name is not running"
  local pid
  pid=$(cat "$state/pid")
  if is_ours "$pid"; then
    kill "$pid"
    for _ in $(seq 300); do
      is_ours "$pid" || break
      sleep 0.03
    done
    ! is_ours "$pid" || kill -9 "$pid"
  fi
  remove_state
}

status() {
  { [ -s "$state/ready" ] && is_ours "$(cat "$state/pid")"; } ||
    die 3 "$kind $name is not running; $sp_name start --name $name --model NAME=FOLDER starts one"
  cat "$state/ready"
}

serve_main() {
  local command=${1:-}
  case $command in "" | -h | --help) serve_usage && exit 0 ;; esac
  shift
  case $command in run | start | stop | status | prepare) ;; *) die 64 "unknown command $command; see $sp_name --help" ;; esac
  # As a child it must not outlive its parent, not even one that was killed. A parent that is gone already is not waited for.
  if [ "$command" = run ] && [ -z "${SERVEPATH_SERVER_PARENT:-}" ] && [[ " $* " != *" --detached "* ]]; then
    SERVEPATH_SERVER_PARENT=$PPID exec setpriv --pdeathsig TERM "$0" run "$@"
  fi
  [ -z "${SERVEPATH_SERVER_PARENT:-}" ] || [ "$SERVEPATH_SERVER_PARENT" = "$PPID" ] || exit 0
  unset SERVEPATH_SERVER_PARENT
  take_options "$@"
  state=$sp_root/.cache/run/$kind-$name
  case $command in prepare) mkdir -p "$home" && server_prepare ;; *) $command ;; esac
}
