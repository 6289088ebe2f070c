# Doubles the grams of a recipe: sh double.sh FILE
[ -f "$1" ] || { echo "no such recipe: $1" >&2; exit 2; }
read -r name grams < "$1"
echo "$name $((grams * 2))" > "$1"
echo "doubled $name"
