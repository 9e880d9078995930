#!/bin/bash
# A Slurm cluster of two nodes on loopback, in FOLDER, until its standard input ends. Commands come on standard input:
#   stop NAME, kill NAME, start NAME    of munged, slurmctld, n1, n2
# It answers each with a line. What lies in FOLDER/hidden is not seen by the nodes. Jobs stay completing while there is
# FOLDER/hold. What is in the partition `urgent` takes the place of what is in `main`.
set -u
folder=$1 port=$2
host=$(hostname -s)
user=$(id -un)
export SLURM_CONF=$folder/slurm.conf
declare -A pids
mkdir -p "$folder"/{state,spool/n1,spool/n2,hidden}
head -c 1024 /dev/urandom >"$folder/munge.key"
chmod 600 "$folder/munge.key"
cat >"$SLURM_CONF" <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
SlurmUser=$user
SlurmdUser=$user
SlurmctldPort=$port
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
Epilog=$folder/epilog
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
ReturnToService=2
KillWait=1
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
SlurmdTimeout=20
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,sched_min_interval=0
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=2 RealMemory=4000
PartitionName=main Nodes=n[1-2] Default=YES State=UP
PartitionName=urgent Nodes=n[1-2] PriorityTier=10
PartitionName=crowded Nodes=n[1-2] OverSubscribe=FORCE:5
END

printf '%s\n' '#!/bin/bash' "while [[ -e $folder/hold ]]; do sleep 0.2; done" >"$folder/epilog"
chmod 755 "$folder/epilog"

# A node's tasks are held to their memory where this machine lets them: in a group of the cluster's own, which the nodes see
# in the place of the topmost.
groups=/sys/fs/cgroup/memory/burn-$$
if mkdir "$groups" 2>/dev/null; then
    sed -i 's|^TaskPlugin=.*|TaskPlugin=task/cgroup|' "$SLURM_CONF"
    printf '%s\n' CgroupPlugin=cgroup/v1 CgroupMountpoint=/sys/fs/cgroup ConstrainRAMSpace=yes >"$folder/cgroup.conf"
else
    groups=
    printf '%s\n' JobAcctGatherType=jobacct_gather/linux JobAcctGatherFrequency=task=1 JobAcctGatherParams=OverMemoryKill \
        >>"$SLURM_CONF"
fi

start() {
    case $1 in
        munged) exec munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
            --pid-file="$folder/munged.pid" --log-file="$folder/munged.log" --seed-file="$folder/munge.seed" ;;
        slurmctld) exec slurmctld -D ;;
        *) exec unshare -m bash -c '[[ -z $3 ]] || mount --bind "$3" /sys/fs/cgroup/memory
                mount -t tmpfs none "$1/hidden" && exec slurmd -D -N "$2"' - "$folder" "$1" "$groups" ;;
    esac >>"$folder/output.log" 2>&1 </dev/null &
    pids[$1]=$!
}

end() {
    rm -f "$folder/hold"
    timeout 3 scancel --user="$user" 2>/dev/null
    # A step ends a second after it is told to (KillWait).
    for _ in 1 2 3 4 5 6; do
        [[ -z $(timeout 2 squeue --noheader 2>/dev/null) ]] && break
        sleep 0.5
    done
    kill -9 "${pids[@]}" 2>/dev/null
    pkill -9 -P "$$" 2>/dev/null
    # A group lasts as long as its last process, such as a step whose node was killed.
    for _ in {1..30}; do
        [[ -n $groups && -d $groups ]] || break
        find "$groups" -name cgroup.procs -exec cat {} + 2>/dev/null | xargs --no-run-if-empty kill -9 2>/dev/null
        find "$groups" -depth -type d -exec rmdir {} + 2>/dev/null
        sleep 0.1
    done
    rm -rf "$folder"
}
trap end EXIT
for name in munged slurmctld n1 n2; do
    start "$name"
    sleep 0.3
done
last=$((SECONDS + 40))
while ((SECONDS < last)); do
    [[ $(timeout 3 sinfo --noheader --format=%T 2>/dev/null | sort -u) == idle ]] && break
    sleep 0.2
done
# A line also where none answers.
echo "$(timeout 5 sinfo --noheader --format=%T 2>/dev/null | sort -u | tr '\n' ' ' | sed 's/ $//')"
while read -r action name; do
    case $action in
        start) start "$name" ;;
        stop) kill "${pids[$name]}" && wait "${pids[$name]}" 2>/dev/null ;;
        kill) kill -9 "${pids[$name]}" && wait "${pids[$name]}" 2>/dev/null ;;
    esac
    echo "$action $name"
done
