# bash completion for rouse: verbs, their options, and the names of handles.

_rouse() {
        local cur prev words cword word verb= i
        local -a dir=()
        COMPREPLY=()
        # Names of handles may have colons, which readline takes for ends of words.
        _get_comp_words_by_ref -n : cur prev words cword 2>/dev/null || {
                cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
                words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
        }
        for ((i = 1; i < cword; i++)); do
                word=${words[i]}
                case $word in
                --dir) dir=(--dir "${words[++i]}") ;;
                --dir=*) dir=("$word") ;;
                -*) ;;
                *) [[ $verb ]] || verb=$word ;;
                esac
        done
        case $prev in
        --dir)
                COMPREPLY=($(compgen -d -- "$cur"))
                return ;;
        --timeout | --key | --after | --ticket | --for | --limit | --interval | --count)
                return ;;
        --exec)
                COMPREPLY=($(compgen -c -- "$cur"))
                return ;;
        esac
        if [[ -z $verb ]]; then
                COMPREPLY=($(compgen -W "$(_rouse_verbs) --dir --json --help --version" -- "$cur"))
        elif [[ $cur == -* ]]; then
                COMPREPLY=($(compgen -W "$(_rouse_options "$verb")" -- "$cur"))
        else
                case $verb in
                check) COMPREPLY=($(compgen -f -- "$cur")) ;;
                help) COMPREPLY=($(compgen -W "$(_rouse_verbs)" -- "$cur")) ;;
                call | create | reload | version) ;;
                *) COMPREPLY=($(compgen -W "$(_rouse_handles "${dir[@]}")" -- "$cur")) ;;
                esac
        fi
        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
}

# From the tables of `rouse help`: indented lines that begin with a verb or an option.
_rouse_verbs() {
        rouse help 2>/dev/null | sed -n 's/^  \([a-z-]*\).*/\1/p'
}

_rouse_options() {
        echo --dir --help
        rouse help "$1" 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
}

_rouse_handles() {
        rouse "$@" list 2>/dev/null | sed '1d; s/ .*//'
}

complete -F _rouse rouse
