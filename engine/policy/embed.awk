# Turns the Lua files it is given into C: the default bundle (engine/policy/bundle.h).
# One C string a line of Lua, so that a compiler or debugger shows the script as it was written.
BEGIN {
	print "/* Made by engine/policy/embed.awk from scripts/: do not edit. */"
	print "#include \"policy/bundle.h\"\n"
	print "const struct embedded_file default_bundle[] = {"
}

FNR == 1 {
	if (files++)
		print "\t},"
	name = FILENAME
	sub(/.*\//, "", name)
	printf "\t{\"%s\",\n", name
}

{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	gsub(/\t/, "\\t")
	gsub(/\?/, "\\?")
	printf "\t \"%s\\n\"\n", $0
}

END {
	if (files)
		print "\t},"
	print "};\nconst size_t default_bundle_count = sizeof(default_bundle) / sizeof(default_bundle[0]);"
}
