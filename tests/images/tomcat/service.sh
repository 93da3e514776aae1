# shellcheck shell=bash disable=SC2034  # read by matrix.sh
IMAGE=tomcat
PACKAGES="tomcat10 default-jre-headless busybox-static"
BOOT_SECONDS=120
STOP_STATUS=143
CHANGES=('CMD ["catalina.sh", "run"]' 'WORKDIR /usr/local/tomcat'
  'ENV CATALINA_HOME=/usr/local/tomcat' 'ENV JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64'
  'ENV PATH=/usr/local/tomcat/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
# The log that it keeps beside the console is there as well.
CHECK=(sh -c 'busybox wget -q -O - http://127.0.0.1:8080/ && test -s logs/catalina.*.log')
CHECK_SAYS="compiled 42"
BLAMES='read-only file system|HTTP/1.1 500'

prepare() {
  local home=$1/usr/local/tomcat
  mkdir -p "$home"/{conf,logs,temp,work,webapps/ROOT}
  cp -a "$1/usr/share/tomcat10/bin" "$1/usr/share/tomcat10/lib" "$home/"
  # They are links to where Debian has its jars.
  find "$home/bin" "$home/lib" -type l -printf '%f\t%h\n' | while IFS=$'\t' read -r jar directory; do
    ln -sfn "$(readlink "$1/usr/share/tomcat10/${directory##*/}/$jar" |
      sed 's#^\(\.\./\)*java/#/usr/share/java/#')" "$directory/$jar"
  done
  cp "$1"/usr/share/tomcat10/etc/*.{xml,properties} "$home/conf/"
  # A page that is compiled when it is asked for, and that wants a temporary file, as uploads do.
  printf 'compiled <%%= 6 * 7 %%><%% java.io.File.createTempFile("upload", ".tmp").delete(); %%>\n' \
    >"$home/webapps/ROOT/index.jsp"
}
request() { http_has "compiled 42" GET 8080 /; }
