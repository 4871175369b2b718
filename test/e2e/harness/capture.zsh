# Prints what zsh offers at the end of the command line $LINE, when it has sourced the completion script $SCRIPT.
zmodload zsh/zpty || exit 3
cat >$SCRIPT.inner <<'INNER'
PROMPT= RPROMPT=
autoload -Uz compinit && compinit -u -D
source $SCRIPT
compadd() {
  local -a hits
  # With one of these options it fills an array and offers nothing.
  if [[ " ${@[1,(i)(-|--)]}" != *\ -[OAD]\ * ]]; then
    builtin compadd -A hits "$@"
    (( $#hits )) && print -rl -- 'offers:'$^hits
  fi
  builtin compadd "$@"
}
capture() {
  _main_complete
  compstate[insert]= compstate[list]=
  print -r -- end-of-offers
}
zle -C capture complete-word capture
bindkey '^I' capture
print -r -- shell-is-ready
INNER
zpty inner zsh -f -i
zpty -w inner "source $SCRIPT.inner"
zpty -r -m inner output '*shell-is-ready*' || exit 4
zpty -w -n inner "$LINE"$'\t'
zpty -r -m inner output '*end-of-offers*' || exit 5
print -r -- "$output"
zpty -d inner
