# Stands for an agent: uses the skill where there is one, and guesses otherwise.
if [ -n "$AGENTOPS_EVAL_SKILL" ]; then sh "$AGENTOPS_EVAL_SKILL/hydration.sh" "$1" "$2"
elif [ "$1" = "$2" ]; then echo 100
else echo 65; fi
