#!/bin/sh
# Makes the certificates of the TLS cases: a test authority, a good certificate, an expired one, one for another host. Valid for 100 years.
set -e
cd "$(dirname "$0")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem -days 36500 -subj "/CN=weir test authority"
make() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
  printf 'subjectAltName=%s\n' "$2" > "$1.ext"
  rm -rf db && mkdir db && touch db/index.txt && echo 01 > db/serial
  printf '[ca]\ndefault_ca=d\n[d]\ndatabase=db/index.txt\nserial=db/serial\nnew_certs_dir=db\ncertificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n' > db/ca.cnf
  openssl ca -batch -config db/ca.cnf -in "$1.csr" -out "$1.pem" -notext -extfile "$1.ext" -startdate "$3" -enddate "$4"
  rm -rf "$1.csr" "$1.ext" db
}
make good "DNS:localhost,IP:127.0.0.1" 20200101000000Z 21200101000000Z
make expired "DNS:localhost,IP:127.0.0.1" 20200101000000Z 20210101000000Z
make other "DNS:other.example" 20200101000000Z 21200101000000Z
rm ca.key
