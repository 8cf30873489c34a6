# Completion of kube-enroll for fish.

function __kube_enroll_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l word (commandline -ct)
    set -l found (kube-enroll __complete $words "$word" 2>/dev/null)
    or return
    # Names of files stand behind the = of an option.
    set -l before (string match -r -- '^-[^=]*=' "$word")
    set -l rest (string replace -r -- '^-[^=]*=' '' "$word")
    switch "$found[-1]"
        case :0
            test (count $found) -gt 1; or string replace -r -- '^' "$before" (__fish_complete_path "$rest")
        case :16
            string replace -r -- '^' "$before" (__fish_complete_directories "$rest" '')
    end
    set -e found[-1]
    test (count $found) -eq 0; or printf '%s\n' $found
end

complete -c kube-enroll -e
complete -c kube-enroll -f -k -a '(__kube_enroll_complete)'
