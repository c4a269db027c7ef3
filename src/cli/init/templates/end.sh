what=${1:-}
shift || true
case $what in
    install | check | plan | apply | drift | rollback | comment) "$what" "$@" ;;
    *) fail "usage: ci/brickform.sh install | check [BASE] | plan ENV [BASE] | comment ENV FILE | apply ENV | drift ENV | rollback ENV TO" ;;
esac
