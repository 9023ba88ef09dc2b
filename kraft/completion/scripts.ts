/**
 * What a shell has to read, by its name: it asks the tool itself for completions, and takes files where there are none.
 * Each gets the path of the tool's executable.
 */
export const scripts: Readonly<Record<string, ((executable: string) => string) | undefined>> = {
  bash: (executable) => `# Completion of kraft in bash.
command -v kraft > /dev/null || kraft() { ${quoted(executable)} "$@"; }
_kraft() {
  local IFS=$'\\n'
  COMPREPLY=($(${quoted(executable)} completion bash -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null))
}
complete -o default -F _kraft kraft
`,
  zsh: (executable) => `# Completion of kraft in zsh.
(( $+commands[kraft] )) || kraft() { ${quoted(executable)} "$@"; }
_kraft() {
  local -a found
  found=("\${(@f)$(${quoted(executable)} completion zsh -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _kraft kraft
`,
  fish: (executable) => `# Completion of kraft in fish.
type -q kraft; or function kraft; ${quoted(executable)} $argv; end
function __kraft
    set -l words (commandline -opc) (commandline -ct)
    set -l found (${quoted(executable)} completion fish -- $words[2..-1] 2> /dev/null)
    if test -n "$found"
        printf "%s\\n" $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c kraft -f -a "(__kraft)"
`,
};

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}
