# Completion of kube-enroll for bash 4.4 and later.

_kube_enroll() {
    local line=${COMP_LINE:0:COMP_POINT} words=() found=() i gap word before quoted
    COMPREPLY=()
    # Bash splits words at = and : besides, which the program does not.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        gap=${line%%[![:space:]]*}
        line=${line#"$gap"}
        word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$line
        line=${line#"$word"}
        if [[ $i -eq 0 || -n $gap ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
    done
    mapfile -t found < <(kube-enroll __complete "${words[@]:1}" 2>/dev/null)
    ((${#found[@]} > 0)) || return
    case ${found[-1]} in
        :0) ((${#found[@]} > 1)) || compopt -o default ;;
        :16) compopt -o dirnames ;;
        *) compopt -o nosort ;;
    esac
    unset 'found[-1]'
    # Readline replaces what is behind the last = or :, and a name must not be a command to the shell.
    word=${words[${#words[@]} - 1]}
    before=${word%"$2"}
    for word in "${found[@]}"; do
        word=${word%%$'\t'*}
        printf -v quoted %q "${word#"$before"}"
        COMPREPLY+=("$quoted")
    done
}

complete -F _kube_enroll kube-enroll
