# shellcheck shell=bash
# spec/bench/figures.sh - figures of a benchmark; to be sourced.
#
#	figure NAME VALUE   one figure, printed; VALUE is JSON
#	figures_write       all to $BUILD/bench.json, which keeps those of other benchmarks

declare -a names=()
declare -A figures=()
figure() {
	names+=("$1")
	figures[$1]=$2
	printf '%-32s %s\n' "$1" "$2"
}

figures_write() {
	local file=$BUILD/bench.json name old
	old=$(cat "$file" 2> /dev/null || echo '{}')
	for name in "${names[@]}"; do
		jq -n --arg name "$name" --argjson value "${figures[$name]}" '{($name): $value}'
	done | jq -s --argjson old "$old" '$old + add' > "$file"
}
