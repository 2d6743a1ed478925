#!/usr/bin/env bash
# A Slurm of one node, on loopback, for trying out job arrays: daemons of Debian's packages `slurm-wlm` and `munge`, run as
# root, without systemd, with everything they write below one folder. It is for developers; a cluster has its own.
set -euo pipefail

usage() {
  cat >&2 <<USAGE
usage: $0 start DIR          start munged, slurmctld and slurmd; all they write goes below DIR
       $0 stop DIR           cancel what runs, stop the daemons
       $0 lose-node DIR      stop slurmd alone, as if the node were gone; its tasks run on unseen
       $0 restart-node DIR   start slurmd again
       $0 status DIR         node and queue
Ports: SLURM_PORT and the one after it (26817, 26818).
USAGE
  exit 2
}

fail() {
  echo "single_node: $*" >&2
  exit 1
}

[ $# -eq 2 ] || usage
action=$1
dir=$(realpath -m -- "$2")
port=${SLURM_PORT:-26817}
export SLURM_CONF=$dir/slurm.conf
# The packages put their daemons where a user's path may not look.
PATH=$PATH:/usr/sbin:/sbin

# A requeued job waits until the credential of its last start has expired: cred_expire, seconds, is short for that.
configure() {
  local host memory
  host=$(uname -n)
  host=${host%%.*}
  memory=$(awk '/^MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo)
  cat >"$SLURM_CONF" <<CONF
ClusterName=rut
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.sock,cred_expire=20
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.log
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort=$port
SlurmdPort=$((port + 1))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/log/jobcomp.txt
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdTimeout=15
MaxArraySize=10001
MinJobAge=3600
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}

# The id of a daemon that runs by its pid file, else nothing.
pid_of() {
  local pid name
  pid=$(cat "$dir/run/$1.pid" 2>/dev/null) || return 0
  # A pid file outlives its process: its number may be another's by now, or that of a process that only waits to be reaped.
  name=$(awk '/^Name:/ { name = $2 } /^State:/ && $2 != "Z" { print name }' "/proc/$pid/status" 2>/dev/null) || return 0
  [ "$name" != "$1" ] || echo "$pid"
}

# Waits up to so many seconds for a command to succeed.
await() {
  # By the clock: a question to a controller that is gone takes long itself.
  local end=$((SECONDS + $1))
  shift
  while ! "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

runs() { [ -n "$(pid_of "$1")" ]; }
is_gone() { ! runs "$1"; }
is_up() { sinfo --noheader --format=%T 2>/dev/null | grep -qxE 'idle|mixed|allocated|completing'; }
is_empty() { [ -z "$(squeue --noheader --states=running,completing 2>/dev/null)" ]; }

end() {
  local pid
  pid=$(pid_of "$1")
  [ -n "$pid" ] || return 0
  kill -TERM "$pid"
  await 20 is_gone "$1" || fail "$1 (process $pid) does not end"
}

start_munged() {
  local socket=$dir/run/munge.sock
  # The name of a socket has at most 107 bytes.
  [ ${#socket} -le 100 ] || fail "the path of the folder is too long for a socket: $dir"
  if [ ! -f "$dir/munge.key" ]; then
    (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
  fi
  munged --force --key-file="$dir/munge.key" --socket="$socket" --pid-file="$dir/run/munged.pid" \
    --log-file="$dir/log/munged.log" --seed-file="$dir/run/munged.seed"
  await 10 runs munged || fail "munged did not start; see $dir/log/munged.log"
}

start_node() {
  slurmd -f "$SLURM_CONF"
  await 10 runs slurmd || fail "slurmd did not start; see $dir/log/slurmd.log"
}

start() {
  local daemon
  [ "$(id -u)" = 0 ] || fail "start it as root"
  for daemon in munged slurmctld slurmd sinfo; do
    command -v "$daemon" >/dev/null || fail "there is no $daemon: install Debian's packages slurm-wlm and munge"
  done
  for daemon in munged slurmctld slurmd; do
    ! runs "$daemon" || fail "$daemon runs already; see $0 status $dir"
  done
  mkdir -p "$dir"/{run,log,state,spool}
  chmod 755 "$dir" "$dir"/{run,log,state,spool}
  configure
  start_munged
  # Without -c: jobs are taken up again where the machine, and not `stop`, ended an earlier start.
  slurmctld -f "$SLURM_CONF"
  await 10 runs slurmctld || fail "slurmctld did not start; see $dir/log/slurmctld.log"
  start_node
  await 60 is_up || fail "the node does not come up; see $dir/log"
  echo "export SLURM_CONF=$SLURM_CONF"
}

stop() {
  if runs slurmctld && runs slurmd; then
    # Tasks would outlive the daemons.
    squeue --noheader --format=%A 2>/dev/null | sort -u | xargs -r scancel || true
    await 60 is_empty || echo "single_node: some tasks do not end" >&2
  fi
  end slurmd
  end slurmctld
  end munged
}

status() {
  local daemon pid
  for daemon in munged slurmctld slurmd; do
    pid=$(pid_of "$daemon")
    echo "$daemon: ${pid:-not running}"
  done
  runs slurmctld || return 0
  sinfo --long --Node
  squeue --long
}

case $action in
  start) start ;;
  stop) stop ;;
  lose-node) end slurmd ;;
  restart-node)
    ! runs slurmd || fail "slurmd runs already"
    runs slurmctld || fail "slurmctld does not run; start it all"
    start_node
    await 60 is_up || fail "the node does not come up; see $dir/log"
    ;;
  status) status ;;
  *) usage ;;
esac
