# bash completion for ottop. tui/main/options.def: made by `make docs`; change the table, not this file
_ottop() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} list
	COMPREPLY=()
	case $prev in
	--record|--replay|--output|-o|--config) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")); return ;;
	--pid|-p) COMPREPLY=($(compgen -W "$(ps -eo pid=)" -- "$cur")); return ;;
	--view|-v)
		compopt -o nospace; list=${cur%,*}; [[ $cur == *,* ]] && list=$list, || list=
		COMPREPLY=($(compgen -P "$list" -W 'host cpus processes threads syscalls events stacks frames connections interfaces drops http http_durations requests names self exports lost probes card flame offcpu connection failures request latencies heatmap health otlp help' -- "${cur##*,}"))
		return ;;
	--cgroup) COMPREPLY=($(cd /sys/fs/cgroup 2>/dev/null &&
		compgen -d -P / -- "${cur#/}")); return ;;
	esac
	COMPREPLY=($(compgen -W '--pid --comm --cgroup --interval --view --count --batch --json --record --replay --profile --duration --rate --min-block --output --no-lines --lines --otlp --otlp-protocol --otlp-profiles --otlp-processes --otlp-command-lines --otlp-service-names --headless --budget --check --ascii --config --help --version' -- "$cur"))
}
complete -F _ottop ottop
