#!/usr/bin/env bash
# Install what a napari window, and a virtual screen for it, need from the system: only what is
# missing, and only where that is permitted. Otherwise say in one sentence what to install.
# Usage: scripts/system-libraries.sh PYTHON
set -euo pipefail

python=${1:-python3}
[[ $(uname -s) == Linux ]] || exit 0

# A library or program, and the Debian package that has it. Apart from Xvfb with its xauth, and
# Mesa's driver that draws without a graphics card, these are what PyQt6 leaves to the system.
needs=(
    "Xvfb xvfb" "xauth xauth"
    "libEGL.so.1 libegl1" "libGL.so.1 libgl1" "swrast_dri.so libgl1-mesa-dri"
    "libdbus-1.so.3 libdbus-1-3" "libfontconfig.so.1 libfontconfig1" "libglib-2.0.so.0 libglib2.0-0"
    "libgssapi_krb5.so.2 libgssapi-krb5-2" "libstdc++.so.6 libstdc++6" "libX11-xcb.so.1 libx11-xcb1"
    "libxcb-cursor.so.0 libxcb-cursor0" "libxcb-icccm.so.4 libxcb-icccm4"
    "libxcb-image.so.0 libxcb-image0" "libxcb-keysyms.so.1 libxcb-keysyms1"
    "libxcb-randr.so.0 libxcb-randr0" "libxcb-render-util.so.0 libxcb-render-util0"
    "libxcb-shape.so.0 libxcb-shape0" "libxcb-xkb.so.1 libxcb-xkb1"
    "libxkbcommon-x11.so.0 libxkbcommon-x11-0" "libxkbcommon.so.0 libxkbcommon0"
)

libraries=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)

present() {
    case $1 in
        *_dri.so) compgen -G "/usr/lib/*/dri/$1" >/dev/null || compgen -G "/usr/lib*/dri/$1" >/dev/null ;;
        *.so.*) grep -qF "$1 " <<<"$libraries" ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

missing=()
for need in "${needs[@]}"; do
    read -r file package <<<"$need"
    present "$file" || missing+=("$package")
done
"$python" -c "import ensurepip" 2>/dev/null || missing+=(python3-venv)

if [[ ${#missing[@]} -eq 0 ]]; then
    exit 0
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
    as_root=(sudo -n)
fi
if ! command -v apt-get >/dev/null; then
    echo "This system lacks some libraries that napari needs; please install what your" \
        "distribution calls these Debian packages: ${missing[*]}" >&2
elif [[ $(id -u) -ne 0 ]] && ! sudo -n true 2>/dev/null; then
    echo "This system lacks some libraries that napari needs, and installing them takes" \
        "administrator rights; please run: sudo apt-get install ${missing[*]}" >&2
else
    echo "Installing system libraries: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
