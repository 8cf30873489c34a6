#compdef kube-enroll
# Completion of kube-enroll for zsh.

_kube_enroll() {
    local -a found described
    local line value about
    found=("${(@f)$(kube-enroll __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    case ${found[-1]} in
        :0)
            (( $#found > 1 )) || { [[ $PREFIX == -*=* ]] && compset -P '*='; _files; return }
            ;;
        :16)
            [[ $PREFIX == -*=* ]] && compset -P '*='
            _files -/
            return
            ;;
    esac
    for line in "${(@)found[1,-2]}"; do
        value=${line%%$'\t'*}
        about=${line#*$'\t'}
        described+=("${value//:/\\:}${about:+:$about}")
    done
    _describe -V kube-enroll described
}

if [[ ${funcstack[1]} == _kube-enroll ]]; then
    _kube_enroll "$@"
else
    compdef _kube_enroll kube-enroll
fi
