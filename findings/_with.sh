# Read by the scripts: `run_with PACKAGES` installs them in a temporary folder, and runs the program
# on its standard input there.
set -eu
run_with() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    "${PYTHON:-python3}" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$@"
    cat >"$folder/program.py"
    "$folder/bin/python" "$folder/program.py"
}
